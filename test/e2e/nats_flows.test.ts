/** Windows that are not folded travel as well: each flow has its record at the collector of its host's partition. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { rowsOf } from '../collector/flows/given.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { startNats } from '../harness/nats.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { until } from '../harness/until.ts'
import { NatsStage } from './nats_stage.ts'

const HOSTS = 12

interface FlowRecord {
  readonly reason: string
  readonly client_host: string
  readonly bytes: number
  readonly delta_bytes: number
}

/** What one of its later windows says. */
const update = (host: number, carried: object) => ({
  ...{ socket: host + 1, role: 1, state: 1, pid: 6, comm: 'curl', segs_sent: 1, ...carried },
})

/** The flow of a host, and what it carries in a window. */
const flow = (host: number, carried: object) => ({
  ...{ socket: host + 1, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', netns: 40 },
  ...{ local: `10.0.0.${host + 1}`, local_port: 40_000, remote: '10.9.0.1', remote_port: 80 },
  ...{ opened_ns: 2e9, established_ns: 2.001e9, segs_sent: 1, ...carried },
})

t.test(
  'flows are recorded once, by whichever collector has their host',
  { skip: needs('nats', 'influxd', 'bpf') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const server = await startNats(cleanup)
    const stage = await NatsStage.open(t, server.url, HOSTS)
    const directory = await scratch(cleanup, 'flows')
    const files = ['a', 'b'].map(name => join(directory, name))
    const recordsOf = async (file = ''): Promise<FlowRecord[]> => {
      const text = await readFile(file, 'utf8').catch(() => '')
      return text
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line))
    }
    const records = async () => (await Promise.all(files.map(recordsOf))).flat()
    let time = Math.floor(Date.now() / 1000) - 60
    const publish = (record: string, carried: object) => {
      for (const [index, source] of stage.sources.entries())
        source.publish(
          time,
          rowsOf(record, [record === 'tcp_flow' ? flow(index, carried) : update(index, carried)]),
        )
      time++
    }
    const hosts = stage.sources.map(({ host }) => host).sort()

    await stage.startCollector('a', '--flow-file', files[0]!)
    publish('tcp_flow', { bytes_sent: 100 })
    publish('tcp_update', { bytes_sent: 50 })
    await until('both windows are settled', async () => {
      const [one] = await stage.streams('a')
      return one?.messages === 2 * HOSTS && one.waiting === 0
    })
    // the second one gets half of the partitions, and the flows of those
    await stage.startCollector('b', '--flow-file', files[1]!)
    await stage.shared('a', 'b')
    const moved = await recordsOf(files[0])
    t.comment(`${moved.length} hosts moved`)
    for (const { reason, delta_bytes } of moved)
      t.match({ reason, delta_bytes }, { reason: 'gone', delta_bytes: 150 })

    publish('tcp_update', { bytes_sent: 7 })
    publish('tcp_flow', { bytes_sent: 1, state: 7, closed_ns: 30e9, reported_ns: 20e9 })
    await until(
      'every flow has ended',
      async () => (await records()).filter(({ reason }) => reason === 'end').length === HOSTS,
    )
    const ended = (await records()).filter(({ reason }) => reason === 'end')
    t.same(ended.map(({ client_host }) => client_host).sort(), hosts, 'each once')
    const later = await recordsOf(files[1])
    t.same(
      later.map(({ client_host }) => client_host).sort(),
      moved.map(({ client_host }) => client_host).sort(),
      'by the collector that has the host',
    )
    for (const host of hosts) {
      const carried = (await records()).filter(({ client_host }) => client_host === host)
      t.equal(
        carried.reduce((sum, { delta_bytes }) => sum + delta_bytes, 0),
        158,
        `${host}: every byte is in one record`,
      )
    }
  },
)
