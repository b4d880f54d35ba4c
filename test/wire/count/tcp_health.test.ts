/** Why flows are slow, added up. */

import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import {
  KNOWN_LIMITS,
  KNOWN_SEGMENTS,
  KNOWN_STALLS,
  KNOWN_TIMEOUTS,
  ROLE_CLIENT,
  ROLE_SERVER,
} from '../../../wire/records.ts'
import { addRows, layoutOfRecord, samplerOf, windowOf } from '../../collector/given.ts'
import { pointsOf } from '../../harness/samples.ts'

const layouts = {
  tcp_flow: layoutOfRecord('tcp_flow'),
  tcp_health: layoutOfRecord('tcp_health'),
  tcp_listen: layoutOfRecord('tcp_listen'),
}
const names = {
  cgroups: { '0:10': 'a', '0:11': 'b' },
  containers: { a: { runtime: 'cri', name: 'a', pod: 'u' }, b: { runtime: 'cri', name: 'b', pod: 'u' } },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
  running: ['a', 'b'],
}
const ALL = 63

type Given = Partial<Record<keyof typeof layouts, readonly object[]>>

function folded(given: Given, fold = new Fold(true)): Fold {
  for (const [record, rows] of Object.entries(given))
    addRows(fold, layouts[record as keyof typeof layouts], rows, names)
  fold.end(names)
  return fold
}

/** The fields of a measurement of one subject, by name; NaN for what has no value. */
function valuesOf(fold: Fold, name: string, wanted: Readonly<Record<string, string>>) {
  const points = pointsOf(samplerOf('sockflux').sample(windowOf(fold), '0'))
  const found = points.find(
    ({ measurement, tags }) =>
      measurement.name === name && Object.entries(wanted).every(([tag, value]) => tags[tag] === value),
  )
  if (!found) return undefined
  return Object.fromEntries(found.measurement.fields.map((field, at) => [field, found.values[at]]))
}

const flow = { role: ROLE_CLIENT, known: ALL }

t.test('shares of the time with data outstanding', async t => {
  const fold = folded({
    tcp_flow: [
      { ...flow, cgroup: 10, busy_us: 3_000_000 },
      { ...flow, cgroup: 11, busy_us: 1_000_000, segs_sent: 1 },
    ],
    tcp_health: [
      { role: ROLE_CLIENT, cgroup: 10, receiver_us: 1_500_000, sndbuf_us: 300_000 },
      { role: ROLE_CLIENT, cgroup: 11, receiver_us: 500_000 },
    ],
  })
  const client = { role: 'client' }
  t.match(valuesOf(fold, 'container:limits', { container: 'a', ...client }), {
    ...{ busy: 3, receiver: 50, send_buffer: 10, network: 40 },
  })
  t.match(valuesOf(fold, 'pod:limits', { pod: 'web-0', ...client }), {
    ...{ busy: 4, receiver: 50, send_buffer: 7.5, network: 42.5 },
  })
})

t.test('no data outstanding, no share', async t => {
  const fold = folded({ tcp_flow: [{ ...flow, cgroup: 10, data_segs_sent: 1, segs_sent: 1 }] })
  t.equal(valuesOf(fold, 'container:limits', { container: 'a', role: 'client' }), undefined)
})

t.test('what the kernel or the probe did not read has no value, and is not 0', async t => {
  const tcp_health = [{ role: ROLE_CLIENT, cgroup: 10, syn_resent: 2, spurious: 1 }]
  const stalls = (known: number) =>
    valuesOf(folded({ tcp_flow: [{ ...flow, cgroup: 10, known }], tcp_health }), 'container:stalls', {
      ...{ container: 'a', role: 'client' },
    })
  const isMissing = (value: number | undefined) => value === undefined || Number.isNaN(value)
  const partly = stalls(KNOWN_SEGMENTS | KNOWN_STALLS)!
  t.match(partly, { syn_retransmits: 2, spurious: 1, waiting: 0 })
  t.ok([partly['timeouts'], partly['recoveries'], partly['stalled']].every(isMissing))
  t.match(stalls(KNOWN_STALLS | KNOWN_TIMEOUTS), { syn_retransmits: 2, timeouts: 0, stalled: 0 })
  t.equal(stalls(KNOWN_SEGMENTS | KNOWN_LIMITS), undefined)
})

t.test('the longest wait is the largest, counts add up', async t => {
  const waiting = { role: ROLE_CLIENT, syn_waiting: 1 }
  const fold = folded({
    tcp_flow: [flow],
    tcp_health: [
      { ...waiting, cgroup: 10, syn_waiting_us: 3_500_000 },
      { ...waiting, cgroup: 11, syn_waiting_us: 1_000_000 },
      { ...waiting, cgroup: 11, syn_waiting_us: 2_000_000 },
    ],
  })
  const client = { role: 'client' }
  t.match(valuesOf(fold, 'pod:stalls', { pod: 'web-0', ...client }), { waiting: 3, waiting_longest: 3.5 })
  t.match(valuesOf(fold, 'container:stalls', { container: 'b', ...client }), {
    waiting: 2,
    waiting_longest: 2,
  })
})

t.test('rates: the mean and the largest of those that no program limits', async t => {
  const row = { role: ROLE_SERVER, cgroup: 10 }
  const fold = folded({
    tcp_flow: [{ ...flow, role: ROLE_SERVER, cgroup: 10 }],
    tcp_health: [
      { ...row, delivery_rate: 1000, in_flight: 5 },
      { ...row, delivery_rate: 3000, unsent: 7 },
      { ...row, delivery_rate: 9000, app_limited: 1, unread: 9 },
      { ...row, delivery_rate: 9000, app_limited: 1 },
    ],
  })
  t.match(valuesOf(fold, 'container:throughput', { container: 'a', role: 'server' }), {
    ...{ delivery_rate: 2000, delivery_rate_max: 3000, app_limited: 50 },
    ...{ in_flight: 5, unsent: 7, unread: 9 },
  })
})

t.test('queueing is above the smallest RTT, of flows that took a sample', async t => {
  const measured = { ...flow, cgroup: 10, flags: 32 }
  const fold = folded({
    tcp_flow: [
      { ...measured, rtt_us: 3000, min_rtt_us: 1000 },
      { ...measured, rtt_us: 900, min_rtt_us: 1000 }, // the mean falls behind for a while
      { ...flow, cgroup: 10, rtt_us: 90_000, min_rtt_us: 1 },
    ],
  })
  t.match(valuesOf(fold, 'container:queueing', { container: 'a' }), { mean: 1, min_rtt: 1 })
})

t.test('failed connects by reason; the program that did not wait has none', async t => {
  const failed = { ...flow, cgroup: 10, closed_ns: 5, flags: 16 }
  const errors = [111, 111, 104, 110, 113, 101, 0, 22]
  const fold = folded({ tcp_flow: errors.map(error => ({ ...failed, error })) })
  t.match(valuesOf(fold, 'container:tcp', { container: 'a', role: 'client' }), {
    ...{ failed: 8, failed_refused: 2, failed_reset: 1, failed_timeout: 1, failed_unreachable: 2 },
  })
})

t.test('the share of retransmits has data in both parts: SYNs are none', async t => {
  const fold = folded({
    tcp_flow: [{ ...flow, cgroup: 10, segs_sent: 30, data_segs_sent: 20, segs_resent: 3 }],
    tcp_health: [{ role: ROLE_CLIENT, cgroup: 10, syn_resent: 1, out_of_order: 4, ecn_marks: 6 }],
  })
  t.match(valuesOf(fold, 'container:tcp', { container: 'a', role: 'client' }), {
    ...{ retransmit_share: 10, data_segments_sent: 20, out_of_order: 4, ecn_marks: 6 },
  })
})

t.test('queues of listeners: who has none has no sample, drops of one that closed count', async t => {
  const row = { role: ROLE_SERVER, listeners: 1 }
  const fold = folded({
    tcp_listen: [
      { ...row, cgroup: 10, queue_depth: 3, queue_limit: 4, queue_fullest: 7500, queue_drops: 2 },
      { ...row, cgroup: 10, queue_depth: 1, queue_limit: 128, queue_fullest: 78 },
      { role: ROLE_SERVER, cgroup: 11, queue_drops: 5 },
    ],
  })
  t.match(valuesOf(fold, 'container:accept', { container: 'a' }), {
    ...{ listeners: 2, depth: 4, limit: 132, fullest: 75, overflows: 2 },
  })
  t.match(valuesOf(fold, 'container:accept', { container: 'b' }), { listeners: 0, overflows: 5 })
  t.match(valuesOf(fold, 'pod:accept', { pod: 'web-0' }), {
    listeners: 2,
    depth: 4,
    fullest: 75,
    overflows: 7,
  })
  t.equal(valuesOf(fold, 'host:accept', {}), undefined)
})

t.test('processes have theirs', async t => {
  const own = { pid: 7, comm: 'web', role: ROLE_SERVER, cgroup: 10 }
  const fold = folded({
    tcp_flow: [{ ...flow, ...own, busy_us: 100 }],
    tcp_health: [{ ...own, receiver_us: 50 }],
    tcp_listen: [{ ...own, listeners: 1, queue_limit: 5 }],
  })
  t.match(valuesOf(fold, 'process:limits', { process: 'web' }), { receiver: 50 })
  t.match(valuesOf(fold, 'process:accept', { process: 'web' }), { listeners: 1, limit: 5 })
})
