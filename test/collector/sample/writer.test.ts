import { text as textOf } from 'node:stream/consumers'
import { pino } from 'pino'
import t from 'tap'
import type { Batch } from '../../../collector/batch.ts'
import type { SelfTotals } from '../../../collector/counters.ts'
import { Fold } from '../../../collector/fold/fold.ts'
import { GROUPS } from '../../../collector/metrics/metric.ts'
import { type Outlet, type Writer, writersOf } from '../../../collector/sample/writer.ts'
import { afterAll } from '../../../collector/settled.ts'
import { influxdb } from '../../../collector/sinks/influxdb/index.ts'
import { prometheus as descriptor } from '../../../collector/sinks/prometheus/index.ts'
import { PrometheusSink } from '../../../collector/sinks/prometheus/prometheus.ts'
import { SinkQueue } from '../../../collector/sinks/queue.ts'
import type { Sink } from '../../../collector/sinks/sink.ts'
import type { ContainerName, PodName } from '../../../wire/message.ts'
import { until } from '../../harness/until.ts'
import { addRows, layoutOfRecord, windowOf } from '../given.ts'

const layout = layoutOfRecord('tcp_flow')
const stats = {
  ...{ messages: 1, rows: 2, probes: 1, waiting: 0, written: 3, series: 4, cpu_us: 5, rss_bytes: 6 },
  ...{ spool_bytes: 0, spool_samples: 0, spool_age_us: 0 },
}
const totals = (): SelfTotals => ({ stats, lost: {} })

function start(profile: 'sockflux' | 'ntopng') {
  const batches: Batch[] = []
  const database: Sink = {
    name: 'influxdb',
    write: async batch => void batches.push(batch),
    close: async () => {},
  }
  const prometheus = new PrometheusSink({ version: 'x', now: () => 0 })
  const options = { maxSamples: 1000, log: pino({ level: 'silent' }) }
  const queues = [database, prometheus].map(sink => new SinkQueue(sink, options))
  const wants = [influxdb.wants, descriptor.wants]
  const outlets: Outlet[] = queues.map((queue, at) => ({
    wants: wants[at]!,
    push: (batch, done) => queue.push(batch, done),
  }))
  const limits = { maxSeries: 1000, maxProcesses: 20 }
  const writers = writersOf({ profile, metrics: GROUPS, ...limits }, outlets, totals)
  const told = async () => {
    await until('the sinks', () => queues.every(({ counters }) => counters.waiting === 0))
    return (await textOf(prometheus.text())).split('\n').filter(line => /^sockflux_(?!build)/.test(line))
  }
  return { writers, batches, told }
}

/** A container of a pod, and its window; its name may be on its way. */
function window(index: number, name: ContainerName, pods: Record<string, PodName> = {}, flows = 1) {
  const fold = new Fold()
  const names = { cgroups: { '1:1': 'a' }, containers: { a: name }, pods, running: ['a'] }
  const flow = { hierarchy: 1, cgroup: 1, role: 1, rtt_us: 1000, flags: 32, segs_sent: 1, bytes_sent: 5 }
  addRows(fold, layout, new Array(flows).fill({ ...flow, established_ns: 2e6, opened_ns: 1e6 }), names)
  fold.end(names)
  return windowOf(fold, { key: { host: 'h', boot: 'b', probe: 'p', window: index } })
}

const NAMED: ContainerName = { runtime: 'cri', name: 'main', pod: 'u' }
const PODS = { u: { name: 'web-0', namespace: 'shop' } }

function write(writers: readonly Writer[], index: number, name: ContainerName, pods?: typeof PODS) {
  const given = window(index, name, pods)
  const written = { isSettled: false }
  const settledOne = afterAll(writers.length, () => {
    written.isSettled = true
  })
  for (const writer of writers) writer.write(given, '0', settledOne)
  return written
}

t.test('Prometheus shows the same in every profile', async t => {
  const [own, ntopng] = [start('sockflux'), start('ntopng')]
  t.equal(own.writers.length, 1, 'sampled once where the profile is the same')
  t.equal(ntopng.writers.length, 2)
  for (const { writers } of [own, ntopng]) {
    write(writers, 1, { runtime: 'cri', pending: true })
    write(writers, 2, NAMED, PODS)
    for (const writer of writers) writer.writeSelf(1000)
  }
  const text = await own.told()
  t.same(await ntopng.told(), text)
  for (const line of [
    'sockflux_container_rtt_seconds{ifid="0",container="a",host="h",container_name="main",pod="web-0",namespace="shop",role="client"} 0.001',
    'sockflux_pod_sent_bytes_total{ifid="0",pod="web-0",namespace="shop",host="h"} 10',
    'sockflux_pod_connect_seconds_count{ifid="0",pod="web-0",namespace="shop",host="h"} 2',
  ])
    t.ok(text.includes(line), line)
  t.ok(text.some(line => line.startsWith('sockflux_collector_rows_total')))
  const namesOf = ({ batches }: typeof own) =>
    new Set(batches.flatMap(({ samples }) => samples.map(({ measurement }) => measurement.name)))
  t.equal(namesOf(ntopng).size, 7)
  t.ok(namesOf(own).has('collector:stats'))
})

t.test('a histogram stays as it is in a window without samples', async t => {
  const { writers, told } = start('ntopng')
  const counts = async () => {
    const lines = (await told()).filter(line => /^sockflux_pod_(connect|rtt_dist)_\w+_count/.test(line))
    return lines.map(line => line.split(' ').at(-1))
  }
  const seen: unknown[] = []
  for (const [index, flows] of [2, 0, 1].entries()) {
    for (const writer of writers) writer.write(window(index, NAMED, PODS, flows), '0', () => {})
    seen.push(await counts())
  }
  t.same(seen, [
    ['2', '2'],
    ['2', '2'],
    ['3', '3'],
  ])
})

t.test(
  'a window is settled when every writer has written all of it, also what waited for a name',
  async t => {
    const { writers, batches, told } = start('ntopng')
    const ofContainers = async () => (await told()).filter(line => line.startsWith('sockflux_container'))
    const first = write(writers, 1, { runtime: 'cri', pending: true })
    t.same(await ofContainers(), [])
    t.notOk(first.isSettled)
    write(writers, 2, NAMED, PODS)
    t.ok((await ofContainers()).length > 0)
    t.ok(first.isSettled)
    t.same(
      batches.map(({ id, samples }) => [id.window, id.part, samples.length > 0]),
      [
        [1, undefined, false],
        [1, 'late', true],
        [2, undefined, true],
      ],
    )
  },
)
