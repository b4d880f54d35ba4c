import t from 'tap'
import { ClockLog } from '../../probe/clock_log.ts'
import { Windows } from '../../probe/read/window.ts'

const NS = 1_000_000_000n
const START = 1_800_000_000n

/** Windows of ten seconds under a clock that a test sets, and what is warned of at their ends. */
function world(wallS: bigint) {
  const clock = { boot: 100n * NS, offset: (wallS - 100n) * NS }
  const windows = new Windows({ bootNs: () => clock.boot, wallNs: () => clock.boot + clock.offset }, 10)
  const warnings: [reason: string, message: string][] = []
  const log = new ClockLog(windows, 10, { warn: (...warning) => warnings.push(warning) })
  return {
    warnings,
    set: (seconds: bigint) => {
      clock.offset += seconds * NS
    },
    /** So much time goes by; the windows that ended are checked. */
    pass(seconds: bigint, steps = 10n) {
      for (let step = 0n; step < steps; step++) {
        clock.boot += (seconds * NS) / steps
        for (let ended = windows.next(); ended; ended = windows.next()) log.ended(ended)
      }
    },
  }
}

t.test('nothing is said of windows that are as they should be', async t => {
  const w = world(START)
  w.pass(100n, 100n)
  t.same(w.warnings, [])
})

t.test('a clock that was never set, with what it says', async t => {
  const w = world(5n)
  w.pass(5n)
  t.same(w.warnings, [
    [
      'clock_unset',
      'the clock says 1970-01-01T00:00:10Z, it was never set; windows are shown and not stored until it is set',
    ],
  ])
})

t.test('a clock that was set forward and back', async t => {
  for (const seconds of [3600n, -7200n]) {
    const w = world(START)
    w.pass(25n, 25n)
    w.set(seconds)
    w.pass(15n, 15n)
    t.same(
      w.warnings.map(([reason]) => reason),
      ['clock_set'],
      `${seconds} s`,
    )
    t.match(
      w.warnings[0]![1],
      /^the clock of this host was set \(.*\); the next windows follow the new clock$/,
    )
  }
})

t.test('a window that a stopped probe made longer', async t => {
  const w = world(START)
  w.pass(25n, 25n)
  w.set(-8n)
  w.pass(20n, 20n)
  t.match(w.warnings, [
    [
      'stretched',
      /^the window until 2027-01-15T08:00:30Z lasted 18 s instead of 10 s .*; it is shown and not stored$/,
    ],
  ])
})

t.test('windows that a late probe skipped', async t => {
  const w = world(START)
  w.pass(20n, 20n)
  w.pass(75n, 1n)
  w.pass(10n, 10n)
  const skipped = w.warnings.filter(([reason]) => reason === 'skipped')
  t.match(skipped, [['skipped', /^\d+ windows after .* are skipped/]])
})

t.test('a time that no calendar has', async t => {
  const warnings: string[] = []
  const counts = { clockSet: 0, clockUnset: 0, stretched: 0, skipped: 0 }
  const log = new ClockLog(counts, 10, { warn: (_, message) => warnings.push(message) })
  counts.clockSet++
  log.ended({ time: 1e13, startNs: 0n, endNs: 10n * NS })
  t.match(warnings, [/ended at 10000000000000 s/])
})
