import t from 'tap'
import type { Measurement } from '../../../collector/batch.ts'
import { historyOf } from '../../../collector/sinks/embedded/history.ts'
import { queryRoute } from '../../../collector/sinks/embedded/select.ts'
import type { HistoryQuestion } from '../../../collector/sinks/history.ts'
import { openStore, temporary } from '../../harness/embedded.ts'
import { startInflux } from '../../harness/influx.ts'
import { connect } from '../../harness/influx_sink.ts'
import { batch, numFlows, sample, start } from '../../harness/samples.ts'
import { needs } from '../../harness/skip.ts'

const traffic: Measurement = {
  name: 'container:traffic',
  fields: ['bytes_sent', 'bytes_rcvd', 'packets_sent', 'packets_rcvd'],
}
const dist: Measurement = { name: 'container:rtt_dist', fields: ['p95'] }
/** Of a name that would break out of a query. */
const ODD = `it's "a\\b"`
const tags = (container: string, host = 'h') => ({ container, host })

/** Six windows of ten seconds: two containers, one of them on another host from the third window on. */
const batches = Array.from({ length: 6 }, (_, at) =>
  batch(at, [
    sample([3, 1], tags('c1')),
    sample([at % 2, 0], tags(ODD)),
    sample([1000 * (at + 1), 0, 0, 0], tags('c1'), traffic),
    ...(at < 2 ? [] : [sample([500 * at, 0, 0, 0], tags('c2', 'g'), traffic)]),
    sample([at * 10], { ...tags('c1'), role: 'client' }, dist),
    sample([5], { ...tags('c1'), role: 'server' }, dist),
  ]),
)

const question: HistoryQuestion = {
  from: start,
  to: start + 60,
  step: 20,
  lines: [
    { name: 'flows', measurement: numFlows.name, field: 'as_client', calc: 'mean', over: 'sum', only: {} },
    {
      name: 'odd',
      measurement: numFlows.name,
      field: 'as_client',
      calc: 'max',
      over: 'max',
      only: { container: ODD },
    },
    { name: 'sent', measurement: traffic.name, field: 'bytes_sent', calc: 'rate', over: 'sum', only: {} },
    {
      name: 'host',
      measurement: traffic.name,
      field: 'bytes_sent',
      calc: 'rate',
      over: 'sum',
      only: { host: 'g' },
    },
    { name: 'p95', measurement: dist.name, field: 'p95', calc: 'max', over: 'max', only: {} },
    {
      name: 'p95 server',
      measurement: dist.name,
      field: 'p95',
      calc: 'max',
      over: 'max',
      only: { role: 'server' },
    },
    {
      name: 'none',
      measurement: numFlows.name,
      field: 'as_client',
      calc: 'mean',
      over: 'sum',
      only: { host: 'x' },
    },
  ],
}
/** By line: the value of each of the three steps. */
const wanted: Readonly<Record<string, readonly number[]>> = {
  flows: [3.5, 3.5, 3.5],
  odd: [1, 1, 1],
  sent: [50, 125, 150],
  host: [25, 50],
  p95: [10, 30, 50],
  'p95 server': [5, 5, 5],
}

const byLine = (points: readonly (readonly [string, number, number])[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(points, ([line]) => line)).map(([line, some]) => [
      line,
      some!.map(([, , value]) => value),
    ]),
  )
const isOnSteps = (points: readonly (readonly [string, number, number])[]) =>
  points.every(([, at]) => at >= start && at < start + 60 && at % 20 === 0)

t.test('lines over time from the embedded store', async t => {
  const store = await openStore(t, await temporary(t))
  for (const one of batches) await store.write(one)
  const query = queryRoute(store, { maxRows: 10_000, maxCharacters: 1e6, timeoutMs: 30_000 })
  const points = await historyOf(query)(question, new AbortController().signal)
  t.same(byLine(points), wanted)
  t.ok(isOnSteps(points))
})

t.test('the same from InfluxDB', { skip: needs('influxd') }, async t => {
  const server = await startInflux()
  t.teardown(() => server.remove())
  const sink = connect(t, { url: server.url })
  await sink.writeAll(batches)
  const points = await sink.history(question, new AbortController().signal)
  const { sent, host, ...others } = byLine(points)
  const { sent: _, host: __, ...rest } = wanted
  t.same(others, rest)
  // what a series rose by in its own first step is known to the embedded store alone
  t.same([sent, host], [[100, 150], [50]])
  t.ok(isOnSteps(points))
})

t.test('a database that is away, or refuses, is told in a sentence', async t => {
  const away = connect(t, { url: 'http://127.0.0.1:1' })
  await t.rejects(away.history(question, new AbortController().signal), {
    status: 503,
    message: /^InfluxDB does not answer: /,
  })
})
