import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import { PrometheusSink } from '../../../collector/sinks/prometheus/prometheus.ts'
import { hostRows } from '../../../probe/host_figures.ts'
import { samplerOf, windowOf } from '../given.ts'
import { CLIENT, NAMES, SERVER, Told } from './given.ts'

/** What Prometheus gets of a window. */
async function textOf(fold: Fold, pods: number): Promise<string> {
  const batch = samplerOf('sockflux', { metrics: ['conntrack'] }).sample(
    windowOf(fold, { flowCounts: { subnet: [], peer: [], pods } }),
    '0',
  )
  const sink = new PrometheusSink({ version: '1' })
  await sink.write(batch)
  let text = ''
  for await (const piece of sink.text()) text += piece
  return text
}

t.test('connections have the names that other dashboards ask for', async t => {
  const fold = new Fold()
  const { layout, bytes } = hostRows('host_conntrack', [{ count: 17, max: 65_536 }])
  fold.add(bytes, decoder(layout), NAMES)
  const text = await textOf(fold, 3)
  for (const line of [
    'antrea_agent_conntrack_total_connection_count{host="h",ifid="0"} 17',
    'antrea_agent_conntrack_antrea_connection_count{host="h",ifid="0"} 3',
    'antrea_agent_conntrack_max_connection_count{host="h",ifid="0"} 65536',
    'sockflux_host_conntrack_pod_connections{host="h",ifid="0"} 3',
  ])
    t.ok(text.includes(`${line}\n`) || text.includes(`${swapped(line)}\n`), line)
  const without = await textOf(new Fold(), 3)
  t.notMatch(without, /antrea_agent_conntrack_(total|max)/, 'a kernel that tracks nothing')
  t.match(without, /antrea_agent_conntrack_antrea_connection_count\{.*\} 3/)
})

const swapped = (line: string) => line.replace('host="h",ifid="0"', 'ifid="0",host="h"')

t.test('conversations with a pod are counted for its host, once', async t => {
  const told = new Told({ flows: { metrics: ['conntrack'], flows: false } })
  t.ok(told.stage.flows.isWanted)
  const counts = () => told.stage.counts?.pods
  told.rows('node-a', 0, 'tcp_flow', CLIENT, SERVER, { ...CLIENT, socket: 50, cgroup: 99, isn_local: 1 })
  told.end(0, 'node-a')
  t.equal(counts(), 1, 'both pods are here, and the third is in none')
  told.rows('node-b', 1, 'tcp_flow', { ...SERVER, socket: 60, isn_local: 7, isn_remote: 8 })
  told.end(1, 'node-b')
  t.equal(counts(), 1)
})
