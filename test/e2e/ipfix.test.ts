/** The whole way with real programs: sockets, a probe, a collector, and IPFIX that others read; equal to what the flow table says. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pairsBinary } from '../harness/binary.ts'
import { listenTcp } from '../harness/ipfix/collectors.ts'
import { type Found, readByPython } from '../harness/ipfix/readers.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { picked } from '../harness/only.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

const COUNT = 20
type Line = Readonly<Record<string, string | number | undefined>>

/** What the record of IPFIX must have, from the row of the flow table. */
function wanted(row: Line): Found {
  const [opened, closed] = [Number(row['opened']), Number(row['closed'])]
  const counts = (name: string, of: string) => [name, row[of]] as const
  return {
    ...{ flowStartSeconds: Math.floor(opened) * 1000, flowEndSeconds: Math.floor(closed) * 1000 },
    ...{ flowEndReason: 3, protocolIdentifier: 6, tcpState: 'CLOSE', flowType: 1 },
    ...{ sourceIPv4Address: row['source_ip'], destinationIPv4Address: row['answered_ip'] },
    ...{ sourceTransportPort: row['source_port'], destinationTransportPort: row['answered_port'] },
    ...{ sourceNodeName: row['client_host'], destinationNodeName: row['server_host'] },
    ...{ sourcePodName: '', destinationPodName: '', ingressNetworkPolicyName: '' },
    ...Object.fromEntries([
      counts('packetTotalCount', 'packets'),
      counts('octetTotalCount', 'bytes'),
      counts('reversePacketTotalCount', 'rev_packets'),
      counts('reverseOctetTotalCount', 'rev_bytes'),
      counts('packetDeltaCount', 'delta_packets'),
      counts('octetDeltaCount', 'delta_bytes'),
      counts('reversePacketDeltaCount', 'delta_rev_packets'),
      counts('reverseOctetDeltaCount', 'delta_rev_bytes'),
      counts('octetTotalCountFromSourceNode', 'client_bytes_sent'),
      counts('reverseOctetTotalCountFromSourceNode', 'client_bytes_rcvd'),
      counts('octetTotalCountFromDestinationNode', 'server_bytes_rcvd'),
      counts('reverseOctetTotalCountFromDestinationNode', 'server_bytes_sent'),
    ]),
  } as Found
}

t.test(
  'conversations from the kernel to IPFIX',
  { skip: needs('root', 'bpf', 'netns', 'gcc', 'pythonIpfix') },
  async t => {
    const [site, netns, receiver] = [await openSite(), await createNetns(), await listenTcp()]
    for (const part of [receiver, netns, site]) t.teardown(() => part.close())
    const file = join(site.directory, 'flows.json')
    const to = ['--external-flow-collector-addr', `127.0.0.1:${receiver.port}:tcp`, '--ipfix-flows', 'all']
    await site.collector([...to, '--flow-file', file])
    await site.probe()
    const pairs = async (...words: string[]) => {
      const child = start(inNetns(netns.path, [await pairsBinary(), ...words]))
      t.teardown(() => child.close())
      return child
    }
    await (await pairs('server', '9000')).line(/ready/)
    await (await pairs('client', '127.0.0.1', '9000', String(COUNT), '0', '4')).line(/end/)
    const { ino } = statSync(netns.path)
    const lines = () =>
      readFileSync(file, { encoding: 'utf8', flag: 'a+' })
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Line)
        .filter(line => line['client_netns'] === ino && line['reason'] === 'end')
    const rows = await until('rows', () => lines().length === COUNT && lines(), 60_000)
    const found = await until('records', () => {
      if (!receiver.streams[0]?.length) return false
      const ports = new Set(rows.map(row => row['source_port']))
      const records = readByPython(receiver.streams[0], site.directory)
      const own = records.filter(
        ({ sourceTransportPort: port, destinationTransportPort: to }) => to === 9000 && ports.has(port),
      )
      return own.length === COUNT && own
    })
    for (const row of rows) {
      const record = found.find(({ sourceTransportPort }) => sourceTransportPort === row['source_port'])
      t.same(picked(record, wanted(row)), wanted(row), `port ${row['source_port']}`)
    }
  },
)

t.test('whole ConfigMaps of another program start', async t => {
  const [site, receiver] = [await openSite(), await listenTcp()]
  for (const part of [receiver, site]) t.teardown(() => part.close())
  const of = (name: string) =>
    readFileSync(join(import.meta.dirname, '../collector/ipfix/config_maps', name), 'utf8')
  const [agent, aggregator] = [
    of('antrea_agent.yaml'),
    of('flow_aggregator.yaml').replace('collector:\n', ''),
  ]
  const file = join(site.directory, 'collector.yaml')
  const to = `enable: true\n    address: "127.0.0.1:${receiver.port}:tcp"`
  writeFileSync(file, agent + aggregator.replace('enable: false\n    address: ""', to))
  const collector = await site.collector(['--config', file])
  await until('templates', () => receiver.streams[0]?.length)
  t.match((await site.stats()).ipfix, { exporter: { connected: false }, aggregator: { connected: true } })
  t.match(collector.stderr, /flowStreamService: there is no gRPC here: sockflux flows --follow/)
  t.notMatch(collector.stderr, /has no key/)
})
