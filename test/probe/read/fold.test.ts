/** What a collector makes of flows that were folded on the probe, beside what it makes of the flows. */

import fc from 'fast-check'
import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { decoder } from '../../../collector/fold/records/decoder.ts'
import { FlowFold } from '../../../probe/read/fold.ts'
import { flowTotalLayout } from '../../../wire/count/flow_total.ts'
import { viewOf } from '../../../wire/layout.ts'
import type { WindowNames } from '../../../wire/message.ts'
import { layoutOfRecord, samplerOf, windowOf } from '../../collector/given.ts'
import { encodeRows } from '../../harness/rows.ts'
import { pointsOf } from '../../harness/samples.ts'

const layouts = {
  tcp_flow: layoutOfRecord('tcp_flow'),
  tcp_update: layoutOfRecord('tcp_update'),
  tcp_health: layoutOfRecord('tcp_health'),
  tcp_listen: layoutOfRecord('tcp_listen'),
  udp_flow: layoutOfRecord('udp_flow'),
  tcp_total: layoutOfRecord('tcp_total'),
  rtt_bucket: layoutOfRecord('rtt_bucket'),
}
type RecordName = keyof typeof layouts
const kernel = { layout: (name: string) => layouts[name as RecordName] }

const names: WindowNames = {
  cgroups: { '1:10': 'a', '1:11': 'b', '2:10': 'c' },
  netns: { '7': 'n' },
  containers: {
    a: { runtime: 'cri', name: 'a', pod: 'u' },
    b: { runtime: 'cri', name: 'b', pod: 'u' },
    c: { runtime: 'docker', name: 'c' },
    n: { runtime: 'podman', name: 'n' },
  },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: ['a', 'b', 'c', 'n'],
}

const owner = {
  hierarchy: fc.constantFrom(1, 2),
  cgroup: fc.constantFrom(10, 11, 12, 2 ** 40),
  netns: fc.constantFrom(7, 8, 2 ** 32 - 1),
  role: fc.nat(2),
}
const count = fc.oneof(fc.constant(0), fc.nat(5), fc.nat(2 ** 32 - 1))
const bytes = fc.nat(2 ** 44)
/** Squares of the longest are above 2^53 already. */
const us = fc.oneof(fc.constant(0), fc.nat(100_000), fc.nat(2 ** 27))
const time = fc.integer({ min: 2 ** 50, max: 2 ** 50 + 2 ** 35 })
const ns = fc.oneof(fc.constant(0), time)
/** Sums of at most 320 rows stay below 2^53 ns, as those of a host do. */
const sumUs = fc.nat(2 ** 34)
const tcpFlow = fc.record({
  ...owner,
  flags: fc.nat(127),
  opened_ns: time, // never 0: then it would have taken the whole uptime to connect
  established_ns: ns,
  closed_ns: ns,
  reported_ns: ns,
  bytes_sent: bytes,
  bytes_rcvd: bytes,
  rtt_us: us,
  rtt_var_us: us,
  segs_sent: count,
  segs_rcvd: count,
  segs_resent: count,
  lost_segments: count,
  data_segs_sent: count,
  data_segs_rcvd: count,
  busy_us: count,
  min_rtt_us: us,
  known: fc.nat(63),
  error: fc.nat(120),
})
const numbers = (...names: readonly string[]) => Object.fromEntries(names.map(name => [name, count]))
const tcpHealth = fc.record({
  ...owner,
  ...numbers('receiver_us', 'sndbuf_us', 'stalled_us', 'timeouts', 'recoveries', 'syn_resent', 'spurious'),
  ...numbers('out_of_order', 'ecn_marks', 'syn_waiting', 'syn_waiting_us', 'in_flight', 'unsent', 'unread'),
  delivery_rate: fc.nat(2 ** 40),
  app_limited: fc.nat(1),
})
const tcpListen = fc.record({
  ...owner,
  ...numbers('listeners', 'queue_depth', 'queue_limit', 'queue_fullest', 'queue_drops'),
})
const udpFlow = fc.record({
  ...owner,
  bytes_sent: bytes,
  bytes_rcvd: bytes,
  packets_sent: count,
  packets_rcvd: count,
})
const tcpTotal = fc.record({
  ...owner,
  rtt_sum_us: sumUs,
  rtt_squares_us2: fc.nat(2 ** 52),
  rtt_samples: count,
  rtt_min_us: us,
  rtt_max_us: us,
  resets_sent: count,
  resets_rcvd: count,
})
const rttBucket = fc.record({ ...owner, samples: count, bucket: fc.nat(400) })

interface Message {
  readonly record: RecordName
  readonly rows: readonly object[]
}
const messageOf = (record: RecordName, row: fc.Arbitrary<object>): fc.Arbitrary<Message> =>
  fc.record({ record: fc.constant(record), rows: fc.array(row, { minLength: 1, maxLength: 40 }) })
const messages = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: messageOf('tcp_flow', tcpFlow) },
    { weight: 3, arbitrary: messageOf('tcp_update', tcpFlow) },
    messageOf('tcp_health', tcpHealth),
    messageOf('tcp_listen', tcpListen),
    messageOf('udp_flow', udpFlow),
    messageOf('tcp_total', tcpTotal),
    messageOf('rtt_bucket', rttBucket),
  ),
  { maxLength: 8 },
)

const bytesOf = ({ record, rows }: Message) => ({
  layout: layouts[record],
  bytes: encodeRows(layouts[record], rows),
})
const given = (said: readonly Message[]) => said.map(bytesOf)

/** What goes over the wire with `--fold`. */
const foldedOf = (said: readonly Message[], fold: FlowFold) => [
  ...said.flatMap(message => fold.add(bytesOf(message)) ?? []),
  ...fold.end(),
]

function samplesOf(messages: ReturnType<typeof given>) {
  const fold = new Fold()
  for (const { layout, bytes } of messages) fold.add(bytes, decoder(layout), names)
  fold.end(names)
  const batch = samplerOf('sockflux', { distributions: true }).sample(windowOf(fold), '0')
  const said = [
    ...pointsOf(batch).map(({ measurement, tags, values }) => ({ of: measurement.name, tags, values })),
    ...batch.distributions.map(({ measurement, tags, distribution: { counts, sum } }) => ({
      of: `${measurement.name} in steps`,
      tags,
      values: [...counts, sum],
    })),
  ]
  const key = ({ of, tags }: (typeof said)[number]) => `${of} ${JSON.stringify(tags)}`
  return said.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

t.test('whatever the flows: the samples are the same to the last bit', async t => {
  fc.assert(
    fc.property(messages, said => {
      const fold = new FlowFold(kernel)
      t.same(samplesOf(foldedOf(said, fold)), samplesOf(given(said)))
      t.equal(fold.full, 0)
    }),
    { numRuns: 200 },
  )
})

t.test('flows of more cgroups than there is room for go as they are, and are counted', async t => {
  fc.assert(
    fc.property(messages, said => {
      const fold = new FlowFold(kernel, 2)
      const sent = foldedOf(said, fold)
      const left = sent.filter(({ layout }) => /_(flow|update)$/.test(layout.name))
      t.equal(
        fold.full,
        left.reduce((sum, { layout, bytes }) => sum + bytes.length / layout.size, 0),
      )
      const totals = sent.filter(({ layout }) => layout.name === 'flow_total')
      t.ok(totals.every(({ layout, bytes }) => bytes.length <= 4 * layout.size))
      t.same(samplesOf(sent), samplesOf(given(said)))
    }),
    { numRuns: 100 },
  )
})

t.test('each window begins anew', async t => {
  const rows = (cgroup: number) => bytesOf({ record: 'tcp_flow', rows: [{ hierarchy: 1, cgroup, role: 1 }] })
  const fold = new FlowFold(kernel, 1)
  async function* batches() {
    for (const time of [10, 20]) {
      const window = { index: 0, startNs: 0n, endNs: 1n, time, clockOffsetNs: 0n, partial: false }
      yield { window, rows: rows(time) }
      yield { window, rows: undefined }
    }
  }
  const at = flowTotalLayout.fields.find(({ name }) => name === 'cgroup')!.offset
  const sent: unknown[] = []
  for await (const { window, rows } of fold.fold(batches()))
    sent.push([window.time, rows?.layout.name, rows && viewOf(rows.bytes).getUint32(at, true)])
  t.same(sent, [
    [10, 'flow_total', 10],
    [10, undefined, undefined],
    [20, 'flow_total', 20],
    [20, undefined, undefined],
  ])
})
