import t from 'tap'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import { EARLIEST_S } from '../../../wire/time.ts'
import { Probe } from './probe.ts'

const NOW = 1_790_000_000
const AHEAD =
  /^h: the window until .* is not stored \(the clock of h is \d+ s ahead of this machine's\): set both with NTP$/
const UNSET = /^h: the window until .* is not stored \(the clock of h was never set\): set it with NTP$/

/** What becomes of a whole window with this label. */
function windowAt(time: number, { now = NOW, interval = 10, partial = false } = {}) {
  const ingest = new Ingest(
    undefined,
    undefined,
    () => 0,
    () => now * 1000,
  )
  const probe = Object.assign(new Probe(), { interval })
  const { folded, clocks = [] } = ingest.receive(probe.end(0, partial, 3, time))
  return { ingest, folded, said: clocks.map(({ message }) => message) }
}

t.test('a window that is far ahead of our clock is shown, and not stored', async t => {
  for (const ahead of [601, 86_400, 2 * 365 * 86_400, 253_402_300_799 - NOW]) {
    const { ingest, folded, said } = windowAt(NOW + ahead)
    t.match(folded, [{ partial: true, complete: true, fold: { rows: 3 } }], `${ahead} s ahead`)
    t.same(ingest.losses(), { 'ingest/clock_ahead': 1 })
    t.match(said, [AHEAD])
  }
  t.match(windowAt(NOW + 7200).said, [/is 7200 s ahead/])
  t.match(windowAt(253_402_300_799).said, [/until 9999-12-31T23:59:59Z/])
  t.match(windowAt(NOW + 7201, { interval: 3600 }).folded, [{ partial: true }])
})

t.test('a window of a clock that was never set is not stored either', async t => {
  for (const time of [0, 20, 946_771_200, EARLIEST_S - 1]) {
    const { ingest, folded, said } = windowAt(time)
    t.match(folded, [{ partial: true, fold: { rows: 3 } }], String(time))
    t.same(ingest.losses(), { 'ingest/clock_unset': 1 })
    t.match(said, [UNSET])
  }
})

t.test('a window a little ahead, or of a backlog, is stored', async t => {
  const fine = [NOW, NOW + 600, NOW - 86_400 * 30, EARLIEST_S]
  const cases = [...fine.map(time => windowAt(time)), windowAt(NOW + 7200, { interval: 3600 })]
  for (const { ingest, folded, said } of cases) {
    t.match(folded, [{ partial: false }])
    t.same([ingest.losses(), said], [{}, []])
  }
})

t.test('a partial window is not counted: it is not stored anyway', async t => {
  for (const time of [NOW + 86_400, 20]) {
    const { ingest, said } = windowAt(time, { partial: true })
    t.same([ingest.losses(), said], [{}, []])
  }
})

t.test('a collector whose own clock was never set stores every window, and logs it', async t => {
  for (const now of [0, 20, EARLIEST_S - 1])
    for (const time of [0, 20, NOW]) {
      const { ingest, folded, said } = windowAt(time, { now })
      t.match(folded, [{ partial: false }])
      t.same(ingest.losses(), {})
      t.match(said, [/^the clock of this machine was never set: windows are stored whatever their time is/])
    }
})

t.test('windows of a probe whose clock was set back to 1970 are accepted', async t => {
  const [probe, ingest] = [new Probe(), new Ingest()]
  ingest.receive(probe.end(500))
  ingest.receive(probe.rows(501, 1))
  ingest.receive(probe.rows(502, 1))
  const { folded } = ingest.receive(probe.end(503, false, 1, 10))
  t.match(folded, [
    { time: 0, complete: false, partial: true },
    { time: 0, complete: false, partial: true },
    { time: 10, complete: true, partial: true },
  ])
  t.same(ingest.lost, { incomplete: 2, clock_unset: 3 })
  t.match(ingest.receive(probe.end(504)).folded, [{ partial: false }], 'and stored once it is right')
})
