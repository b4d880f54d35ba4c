import t from 'tap'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import { MAX_PROBES } from '../../../collector/ingest/known_probes.ts'
import { MalformedError } from '../../../wire/check.ts'
import { layout, Probe, START } from './probe.ts'

const seen = (folded: readonly Folded[]) =>
  folded.map(({ key, time, complete, fold }) => ({ window: key.window, time, complete, rows: fold.rows }))

t.test('a window ends with its end message and has all of its rows', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  t.same(ingest.receive(probe.rows(0, 3)).folded, [])
  ingest.receive(probe.rows(0, 4))
  const { key, folded, repeatedEnd } = ingest.receive(probe.end(0, true))
  t.same(key, { host: 'h', boot: 'b', probe: 'p', window: 0 })
  t.match(folded, [{ partial: true, complete: true, time: START, fold: { rows: 7 } }])
  t.notOk(repeatedEnd)
  t.match(ingest, { received: 3, rows: 7, lost: {} })
  t.match(seen(ingest.receive(probe.end(1)).folded), [{ window: 1, rows: 0 }], 'also one without rows')
})

t.test('a gap in the sequence is counted, except before the first message', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  probe.skip(100)
  ingest.receive(probe.rows(5, 1))
  t.same(ingest.lost, {})
  probe.skip(3)
  ingest.receive(probe.end(5))
  t.same(ingest.lost, { gap: 3, incomplete: 1 })
})

t.test('a message that comes twice counts once; an end that comes twice is answered again', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  const rows = probe.rows(0, 2)
  const end = probe.end(0)
  for (const frames of [rows, rows]) t.notOk(ingest.receive(frames).repeatedEnd)
  t.match(seen(ingest.receive(end).folded), [{ rows: 2 }])
  t.match(ingest.receive(end), { folded: [], repeatedEnd: true, key: { window: 0 } })
  t.match(ingest.receive(rows), { folded: [], repeatedEnd: false })
  t.match(ingest, { received: 2, rows: 2 })
  t.same(ingest.lost, {})
})

t.test('rows of a window that has ended are late', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(3))
  ingest.receive(probe.rows(3, 5))
  ingest.receive(probe.rows(2, 1))
  t.same(ingest.lost, { late: 6 })
  t.equal(ingest.rows, 0)
  t.same(ingest.receive(probe.end(2)).folded, [], 'and an end before the last is none')
})

t.test('a window without its end ends with the next one, incomplete, with its own label', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.rows(1, 2))
  probe.skip()
  ingest.receive(probe.rows(2, 3))
  t.same(seen(ingest.receive(probe.end(2)).folded), [
    { window: 1, time: START + 10, complete: false, rows: 2 },
    { window: 2, time: START + 20, complete: true, rows: 3 },
  ])
  t.same(ingest.lost, { gap: 1, incomplete: 1 })
})

t.test('rows of the next window may come before the end of this one', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.rows(0, 1))
  ingest.receive(probe.rows(1, 2))
  t.match(seen(ingest.receive(probe.end(0)).folded), [{ window: 0, rows: 1 }])
  t.match(seen(ingest.receive(probe.end(1)).folded), [{ window: 1, rows: 2, complete: true }])
  t.same(ingest.lost, {})
})

t.test('probes do not mix', async t => {
  const ingest = new Ingest()
  const probes = ['p', 'q', '__proto__', 'constructor'].map(name => new Probe(name))
  for (const [index, probe] of probes.entries()) ingest.receive(probe.rows(0, index + 1))
  for (const probe of probes) probe.lost = { 'queue/full': 2, constructor: 1 }
  for (const [index, probe] of probes.entries()) {
    const { folded } = ingest.receive(probe.end(0))
    t.match(folded, [{ key: { probe: probe.name }, fold: { rows: index + 1 } }])
  }
  t.same(ingest.lost, {})
  t.same({ ...ingest.probeLosses() }, { 'queue/full': 8, constructor: 4 })
})

t.test('at most three windows far ahead are open, and they stop no other window', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  for (const window of [1e5, 2e5, 3e5, 4e5, 5e5]) ingest.receive(probe.rows(window, 1))
  t.same(ingest.lost, { window_ahead: 2 })
  t.match(seen(ingest.receive(probe.end(7)).folded), [{ window: 7, complete: true }])
  t.match(seen(ingest.receive(probe.end(3e5)).folded), [{ window: 1e5 }, { window: 2e5 }, { window: 3e5 }])
})

t.test('a window whose rows were refused is incomplete, also when its end comes', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  for (const window of [1, 2, 3, 4]) ingest.receive(probe.rows(window, 5))
  probe.lost = { 'queue/full': 2 }
  const { folded } = ingest.receive(probe.end(4, false, 1))
  const complete = false
  t.match(seen(folded), [
    { window: 1, complete, rows: 5 },
    { window: 2, complete, rows: 5 },
    { window: 3, complete, rows: 5 },
    { window: 4, complete, rows: 1, time: START + 40 },
  ])
  t.same(folded.at(-1)?.lost, { 'queue/full': 2 }, 'its end has the losses of the probe')
  t.same(ingest.lost, { window_ahead: 5, incomplete: 4 })
  ingest.receive(probe.rows(5, 1))
  t.match(seen(ingest.receive(probe.end(5)).folded), [{ window: 5, complete: true }], 'the next one is whole')
})

t.test('of a window ahead some rows were refused and some not: it is incomplete', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  for (const window of [1, 2, 3, 4]) ingest.receive(probe.rows(window, 1))
  ingest.receive(probe.end(3))
  ingest.receive(probe.rows(4, 2))
  t.match(seen(ingest.receive(probe.end(4)).folded), [{ window: 4, complete: false, rows: 2 }])
  t.same(ingest.lost, { window_ahead: 1, incomplete: 3 })
})

t.test('more windows ahead than are remembered: each that follows is incomplete', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  for (let window = 1; window <= 2000; window++) ingest.receive(probe.rows(window, 1))
  t.match(seen(ingest.receive(probe.end(1900)).folded).at(-1), { window: 1900, complete: false })
  t.match(seen(ingest.receive(probe.end(2001)).folded), [{ window: 2001, complete: true }])
})

t.test('refused rows that a silent probe sends again are whole', async t => {
  let now = 0
  const [probe, ingest] = [new Probe(), new Ingest(undefined, undefined, () => now)]
  for (const window of [1, 2, 3, 4]) ingest.receive(probe.rows(window, 1))
  now += 4 * 3_600_000
  ingest.expire()
  probe.sequence = 0
  for (const window of [1, 2, 3, 4]) {
    ingest.receive(probe.rows(window, 1))
    t.match(seen(ingest.receive(probe.end(window)).folded), [{ window, complete: true, rows: 1 }])
  }
  t.same(ingest.lost, { window_ahead: 1, unfinished: 3 })
})

t.test('a window that was unfinished when its probe fell silent is whole when it is sent again', async t => {
  let now = 0
  const [probe, ingest] = [new Probe(), new Ingest(undefined, undefined, () => now)]
  const first = [probe.rows(0, 1), probe.end(0)]
  const second = [probe.rows(1, 7), probe.end(1)]
  for (const message of [...first, second[0]!]) ingest.receive(message)
  now = 24 * 3_600_000 - 1
  ingest.expire()
  t.same(ingest.lost, { unfinished: 7 })
  t.equal(ingest.receive(first[1]!).repeatedEnd, true, 'what had ended before is known')
  const folded = second.flatMap(message => ingest.receive(message).folded)
  t.match(folded, [{ complete: true, fold: { rows: 7 } }])
  t.same(ingest.lost, { unfinished: 7 })
})

t.test('unfinished windows of a silent probe are counted, and it may come back', async t => {
  let now = 0
  const [probe, ingest] = [new Probe(), new Ingest(undefined, undefined, () => now)]
  const other = new Probe('q')
  ingest.receive(probe.rows(0, 4))
  now = 10_800_000
  ingest.receive(other.rows(0, 1))
  ingest.expire()
  t.same(ingest.lost, {}, 'not yet')
  now++
  ingest.expire()
  t.same(ingest.lost, { unfinished: 4 })
  t.match(seen(ingest.receive(probe.end(0)).folded), [{ rows: 0 }])
  t.match(seen(ingest.receive(other.end(0)).folded), [{ rows: 1 }])
})

t.test('20,000 probes of one connection keep no other probe out, and cost none a window', async t => {
  const [honest, ingest] = [new Probe('honest'), new Ingest()]
  for (let window = 0; window < 3; window++) ingest.receive(honest.end(window), undefined, 'honest')
  ingest.receive(honest.rows(3, 5), undefined, 'honest')
  for (let index = 0; index < 20_000; index++) {
    const probe = new Probe(`forged ${index}`)
    for (let window = 0; window < 3; window++) ingest.receive(probe.end(window), undefined, 'stranger')
    if (index % 5000 === 0) ingest.receive(honest.rows(3, 1), undefined, 'honest')
  }
  t.equal(ingest.probes, 1 + 64)
  const late = new Probe('late')
  t.match(
    seen(ingest.receive(late.end(0), undefined, 'another').folded),
    [{ window: 0 }],
    'a new one gets in',
  )
  t.match(seen(ingest.receive(honest.end(3), undefined, 'honest').folded), [
    { window: 3, complete: true, rows: 9 },
  ])
  t.same(ingest.lost, { evicted: 20_000 - 64 }, 'all of them of the stranger')
})

t.test('a probe that is not heard any more makes room, one that is heard does not', async t => {
  let now = 0
  const ingest = new Ingest(undefined, undefined, () => now)
  const probes = Array.from({ length: MAX_PROBES }, (_, index) => new Probe(`p${index}`))
  for (let window = 0; window < 2; window++)
    for (const [index, probe] of probes.entries()) ingest.receive(probe.end(window), undefined, `c${index}`)
  t.throws(() => ingest.receive(new Probe('more').end(0), undefined, 'more'), /16384 probes are known/)
  now += 25_000
  for (const [index, probe] of probes.entries())
    if (index !== 7) ingest.receive(probe.end(2), undefined, `c${index}`)
  ingest.receive(new Probe('more').end(0), undefined, 'more')
  t.same(ingest.lost, { malformed_too_many_probes: 1, evicted: 1 })
})

t.test(
  'no more than so many probes are known at once; one more is refused while all of them go on',
  async t => {
    let now = 0
    const ingest = new Ingest(undefined, undefined, () => now)
    for (let index = 0; index < MAX_PROBES; index++) {
      const probe = new Probe(`p${index}`)
      for (const window of [0, 1]) ingest.receive(probe.end(window))
    }
    t.throws(() => ingest.receive(new Probe('more').end(0)), /16384 probes are known/)
    t.same(ingest.lost, { malformed_too_many_probes: 1 })
    now = 600_001 // their windows are short, so ten minutes of silence are enough
    t.match(seen(ingest.receive(new Probe('more').end(0)).folded), [{ window: 0 }])
  },
)

t.test('identities that send one window make room for a probe that is new', async t => {
  let now = 0
  const ingest = new Ingest(undefined, undefined, () => now)
  const honest = new Probe('honest')
  for (const window of [0, 1]) ingest.receive(honest.end(window))
  for (let index = 0; index < MAX_PROBES + 904; index++) {
    now++
    ingest.receive(new Probe(`forged${index}`).rows(0, 2))
  }
  t.equal(ingest.probes, MAX_PROBES)
  t.same(ingest.lost, { evicted: 905, unfinished: 1810 }, 'what they had sent is counted')
  const more = new Probe('more')
  const folded = [0, 1, 2].flatMap(window => ingest.receive(more.end(window)).folded)
  t.match(seen(folded), [{ window: 0 }, { window: 1 }, { window: 2 }])
  t.match(seen(ingest.receive(honest.end(2)).folded), [{ window: 2 }], 'and it was not this one that left')
  t.equal(ingest.lost['gap'], undefined)
})

t.test('a malformed message is counted by its reason', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  t.throws(() => ingest.receive([]), MalformedError)
  const fields = layout.fields.filter(({ name }) => name !== 'cgroup')
  t.match(ingest.receive(probe.rows(0, 1, { ...layout, fields })), { refused: /cgroup/ })
  ingest.receive(probe.rows(0, 1, { ...layout, name: 'icmp_flow' }))
  t.same(ingest.lost, { malformed_frames: 1, malformed_layout: 1, unknown_record: 1 })
})

t.test('a message with a right head and wrong content is no gap', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.rows(0, 1))
  const bad = probe.rows(0, 1).with(-1, Buffer.from('{"cgroups":7}'))
  t.throws(() => ingest.receive(bad), { reason: 'names_cgroups', message: /names.cgroups/ })
  t.match(seen(ingest.receive(probe.end(0)).folded), [{ rows: 1 }])
  t.same(ingest.lost, { malformed_names_cgroups: 1 })
})

t.test('a message of another version is refused, with what to do, and is no gap', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.rows(0, 1))
  const newer = probe.rows(0, 1).with(0, Buffer.from('rows/3'))
  t.throws(() => ingest.receive(newer), {
    reason: 'version',
    message: 'the probe speaks version 3 of the wire, this collector version 2: update the collector',
  })
  t.same(ingest.lost, { malformed_version: 1 })
})

t.test('windows are folded per process while top is watched', async t => {
  let watched = false
  const [probe, ingest] = [new Probe(), new Ingest(() => watched)]
  ingest.receive(probe.rows(0, 1))
  t.equal(ingest.receive(probe.end(0)).folded[0]!.fold.processes, undefined)
  watched = true
  ingest.receive(probe.rows(1, 1))
  t.equal(ingest.receive(probe.end(1)).folded[0]!.fold.processes!.byPid.size, 1)
})

t.test('every known record is folded; one that cannot be read costs only itself', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  const records = [
    'tcp_flow',
    'tcp_update',
    'udp_flow',
    'tcp_total',
    'rtt_bucket',
    'iface',
    'host_cpu',
    'host_mem',
    'probe_stats',
  ]
  const fields = ['cgroup', 'hierarchy'].map((name, index) => ({
    ...{ name, offset: index * 8, size: 8 },
    type: 'u64' as const,
  }))
  const rowsOf = (name: string, count: number, had = fields) => ({
    layout: { name, size: 16, fields: had },
    bytes: Buffer.alloc(count * 16),
  })
  for (const name of records) ingest.receive(probe.send(0, rowsOf(name, 2)))
  t.match(ingest, { received: 9, rows: 18, lost: {} })
  const strange = [rowsOf('tcp_flow', 1), rowsOf('udp_flow', 1, []), rowsOf('toString', 1)]
  t.match(ingest.receive(probe.send(0, ...strange, rowsOf('tcp_update', 1))), { refused: /udp_flow/ })
  t.match(ingest, { received: 10, rows: 20, lost: { malformed_layout: 1, unknown_record: 1 } })
  t.same(ingest.receive(probe.end(0, true)).folded[0]!.fold.host.client.flows, 2 * 3 + 2)
})

t.test('rows that come with the end of a window count, also when windows far ahead are open', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  for (const window of [5, 6, 7]) ingest.receive(probe.rows(window, 1))
  const { folded } = ingest.receive(probe.end(4, false, 3))
  t.match(seen(folded), [{ window: 4, rows: 3, complete: true }])
  t.same(ingest.lost, {})
})

t.test('a window has the losses of its probe since the window before', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  const lostIn = (window: number, lost: Record<string, number>) => {
    probe.lost = lost
    return ingest.receive(probe.end(window)).folded.map(({ lost }) => lost)
  }
  t.same(lostIn(0, { 'kernel/slot': 2 }), [{ 'kernel/slot': 2 }])
  t.same(lostIn(1, { 'kernel/slot': 2, constructor: 1 }), [{ constructor: 1 }])
  t.same(lostIn(2, { 'kernel/slot': 5, constructor: 1 }), [{ 'kernel/slot': 3 }])
  ingest.receive(probe.rows(3, 1))
  t.same(lostIn(4, { 'kernel/slot': 6, constructor: 1 }), [{}, { 'kernel/slot': 1 }], 'once')
})

t.test(
  'losses of a probe are counted once, also when it was silent for hours; after a day they are counted again',
  async t => {
    let now = 0
    const [probe, ingest] = [new Probe(), new Ingest(undefined, undefined, () => now)]
    const lostAfter = (ms: number) => {
      now += ms
      ingest.expire()
      return ingest.receive(probe.end(probe.sequence)).folded.map(({ lost }) => lost)
    }
    probe.lost = { 'kernel/slot': 2 }
    t.same(lostAfter(0), [{ 'kernel/slot': 2 }])
    probe.lost = { 'kernel/slot': 5 }
    t.same(lostAfter(23 * 3_600_000), [{ 'kernel/slot': 3 }])
    now += 3_600_000
    ingest.expire()
    t.equal(ingest.probes, 0)
    t.same(ingest.probeLosses(), { 'kernel/slot': 5 }, 'it is silent, and has lost that')
    t.same(lostAfter(24 * 3_600_000), [{ 'kernel/slot': 5 }])
  },
)

t.test('a probe that comes from another collector has lost nothing in between', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(0))
  ingest.receive(probe.rows(1, 4))
  const late = [probe.rows(1, 1), probe.end(1)]
  probe.skip(20)
  probe.lost = { 'kernel/slot': 5 }
  t.match(ingest.receive(probe.settled(4)), { key: { window: 4 }, folded: [], settled: { elsewhere: true } })
  t.match(ingest.receive(probe.settled(4)), { settled: { elsewhere: false } }, 'once')
  for (const frames of late) t.same(ingest.receive(frames).folded, [], 'nor is its half a window one')
  ingest.receive(probe.rows(4, 2))
  probe.lost = { 'kernel/slot': 7 }
  const { folded } = ingest.receive(probe.end(4))
  t.match(seen(folded), [{ window: 4, complete: true, rows: 2 }])
  t.match(folded, [{ lost: { 'kernel/slot': 2 } }], 'what others have told is not told again')
  t.same(ingest.lost, {})
})

t.test('a probe that comes back without another collector continues its window', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  t.match(ingest.receive(probe.settled(0, false)), { settled: { elsewhere: false } })
  ingest.receive(probe.end(0))
  const settled = probe.settled(1, false)
  ingest.receive(probe.rows(1, 4))
  t.match(ingest.receive(settled), { settled: { elsewhere: false } })
  t.match(seen(ingest.receive(probe.end(1)).folded), [{ window: 1, rows: 4 }])
  t.same(ingest.lost, {})
})

t.test('after that every missing message is counted, the first one as well', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  probe.skip(20)
  ingest.receive(probe.settled(4))
  probe.skip(2)
  ingest.receive(probe.end(4))
  t.same(ingest.lost, { gap: 2, incomplete: 1 })
})
