import fc from 'fast-check'
import t from 'tap'
import { type Window, Windows } from '../../../probe/read/window.ts'

const S = 1_000_000_000n
const INTERVAL = 10

/** A machine's two clocks, told by the test how they go. */
class Machine {
  boot = 1000n * S
  /** Wall clock at the start: 3 s after a label. */
  offset = 1_800_000_003n * S - this.boot
  bootNs = () => this.boot
  wallNs = () => this.boot + this.offset
  /** Seconds. */
  pass(seconds: number): void {
    this.boot += BigInt(Math.round(seconds * 1e9))
  }
  set(seconds: number): void {
    this.offset += BigInt(Math.round(seconds * 1e9))
  }
}

const START = 1_800_000_000
const begin = () => {
  const machine = new Machine()
  return { machine, windows: new Windows(machine, INTERVAL) }
}
const timesFromStart = (ended: readonly Window[]) => ended.map(({ time }) => time - START)
const seconds = ({ startNs, endNs }: Window) => Number(endNs - startNs) / 1e9

/** What ends when somebody asks every quarter of a second for so long. */
function watch({ machine, windows }: ReturnType<typeof begin>, forSeconds: number): Window[] {
  const ended: Window[] = []
  for (let step = 0; step < forSeconds * 4; step++) {
    machine.pass(0.25)
    const window = windows.next()
    if (window) ended.push(window)
  }
  return ended
}

t.test('windows end at multiples of the interval, and only the first is partial', async t => {
  const run = begin()
  const ended = watch(run, 30)
  t.same(timesFromStart(ended), [10, 20, 30])
  t.same(ended.map(seconds), [7, 10, 10])
  t.same(
    ended.map(({ index, partial }) => [index, partial]),
    [
      [0, true],
      [1, false],
      [2, false],
    ],
  )
  t.equal(run.windows.skipped + run.windows.stretched, 0)
})

t.test('a probe that starts exactly at a label has a whole interval before it', async t => {
  const machine = new Machine()
  machine.set(7)
  const run = { machine, windows: new Windows(machine, INTERVAL) }
  t.same(timesFromStart(watch(run, 12)), [20])
})

const partials = (ended: readonly Window[]) => ended.map(({ partial }) => partial)

t.test('a clock set back a little stretches the running window until its label comes again', async t => {
  const run = begin()
  watch(run, 12)
  run.machine.set(-4)
  const ended = watch(run, 20)
  t.same(timesFromStart(ended), [20, 30])
  t.same(ended.map(seconds), [14, 10])
  t.equal(run.windows.stretched + run.windows.skipped + run.windows.clockSet, 0)
})

t.test('a window that a clock set back made half as long again is not whole', async t => {
  const run = begin()
  watch(run, 12)
  run.machine.set(-9)
  const ended = watch(run, 25)
  t.same(timesFromStart(ended), [20, 30])
  t.same(ended.map(seconds), [19, 10])
  t.same(partials(ended), [true, false])
  t.equal(run.windows.stretched, 1)
})

for (const [name, back] of [
  ['half a minute', 30],
  ['two hours', 7200],
  ['a month', 30 * 86_400],
] as const)
  t.test(`a clock set back ${name} ends the window at once, and labels follow it`, async t => {
    const run = begin()
    watch(run, 12)
    run.machine.set(-back)
    const ended = watch(run, 20)
    t.same(timesFromStart(ended), [20, 20 - back, 30 - back])
    t.same(ended.map(seconds), [5.25, 4.75, 10])
    t.same(partials(ended), [true, false, false])
    t.equal(run.windows.clockSet, 1)
    t.equal(run.windows.skipped + run.windows.stretched, 0)
  })

t.test(
  'a clock set back again and again in one window does not make it longer than three intervals',
  async t => {
    const run = begin()
    const ended = watch(run, 8)
    for (let times = 0; times < 20; times++) {
      run.machine.set(-7)
      ended.push(...watch(run, 5))
    }
    t.ok(ended.length > 3, `${ended.length} windows`)
    t.same(
      ended.map(seconds).filter(length => length > 30),
      [],
    )
  },
)

t.test('a clock that runs a day fast and is set right stores at the right time from then on', async t => {
  const machine = new Machine()
  machine.set(86_400)
  const run = { machine, windows: new Windows(machine, INTERVAL) }
  watch(run, 22)
  machine.set(-86_400)
  t.same(timesFromStart(watch(run, 20)).slice(-1), [40])
  t.equal(run.windows.clockSet, 1)
})

t.test('under a clock that was never set no window is whole, and setting it counts once', async t => {
  for (const unset of [20, Date.UTC(2000, 0, 2) / 1000]) {
    const machine = new Machine()
    machine.set(unset - START - 3)
    const run = { machine, windows: new Windows(machine, INTERVAL) }
    t.same(partials(watch(run, 30)), [true, true, true])
    machine.set(START + 3 - unset)
    const ended = watch(run, 30)
    t.ok(ended.length >= 3)
    t.notOk(partials(ended).includes(true))
    t.ok(ended.every(({ time }) => time > START))
    t.equal(run.windows.clockUnset, 3)
    t.equal(run.windows.clockSet, 1)
    t.equal(run.windows.skipped, 0)
  }
})

t.test('a clock set back just after a label, before anybody looked, keeps that label', async t => {
  const run = begin()
  run.machine.pass(7.1)
  run.machine.set(-20)
  t.same(timesFromStart(watch(run, 30)), [10, 0, 10, 20])
  t.equal(run.windows.clockSet, 1)
})

t.test('a clock set forward ends the running window at once and skips labels', async t => {
  const run = begin()
  watch(run, 12)
  run.machine.set(42) // 15 → 57
  const ended = watch(run, 15)
  t.same(timesFromStart(ended), [50, 60, 70])
  t.same(ended.map(seconds), [5.25, 2.75, 10])
  t.equal(run.windows.skipped, 0, 'no time passed under them')
  t.equal(run.windows.clockSet, 1)
  t.equal(run.windows.stretched, 0)
})

t.test('a clock set forward just after a label, before anybody looked, makes up no windows', async t => {
  const run = begin()
  run.machine.pass(7.1)
  run.machine.set(40) // 10.1 → 50.1
  t.same(timesFromStart(watch(run, 10)), [10, 60])
  t.equal(run.windows.skipped, 0)
  t.equal(run.windows.clockSet, 1)
})

t.test('a clock set forward within the window only shortens it', async t => {
  const run = begin()
  watch(run, 9)
  run.machine.set(3)
  const ended = watch(run, 6)
  t.same(timesFromStart(ended), [20])
  t.equal(seconds(ended[0]!), 7)
  t.equal(run.windows.skipped, 0)
})

t.test('a clock set to exactly a label ends the window with that label', async t => {
  const forward = begin()
  forward.machine.set(7)
  t.equal(forward.windows.next(), undefined, 'a window without any time waits for some')
  forward.machine.pass(0.25)
  t.equal(forward.windows.next()?.time, START + 10)

  const back = begin()
  back.machine.pass(17) // unseen: 10 and 20 are over
  back.machine.set(-10)
  const ended = [back.windows.next(), back.windows.next()]
  t.same(
    ended.map(window => window?.time),
    [START + 10, undefined],
  )
  t.equal(back.windows.current.time, START + 20)
  t.equal(seconds(back.windows.current), 20)
})

t.test('slewing moves the next end, never the running one', async t => {
  const run = begin()
  const planned = run.windows.current.endNs
  run.machine.pass(3)
  run.machine.set(0.2)
  run.windows.next()
  t.equal(run.windows.current.endNs, planned)
  const ended = watch(run, 15)
  t.same(timesFromStart(ended), [10, 20])
  t.same(ended.map(seconds), [7, 9.8])
  t.equal(run.windows.skipped + run.windows.stretched, 0)
})

t.test('a late wake-up makes up the two windows that it missed', async t => {
  const { machine, windows } = begin()
  machine.pass(35)
  const ended: (Window | undefined)[] = []
  for (let i = 0; i < 5; i++) ended.push(windows.next())
  t.same(
    ended.map(window => window && window.time - START),
    [10, 20, 30, undefined, undefined],
  )
  t.equal(windows.skipped, 0)
})

t.test('a probe that was stopped for longer joins its windows to one that is not whole', async t => {
  const run = begin()
  watch(run, 12)
  run.machine.pass(45)
  const ended = watch(run, 25)
  t.same(timesFromStart(ended), [20, 70, 80])
  t.same(partials(ended), [false, true, false])
  t.equal(run.windows.skipped, 4, '30 to 60')
  t.equal(run.windows.stretched, 1)
})

t.test('a machine that slept for an hour joins what it slept through', async t => {
  const run = begin()
  watch(run, 8)
  run.machine.pass(3600) // 11 → 3611
  const ended = watch(run, 20)
  t.same(timesFromStart(ended), [20, 3620, 3630])
  t.same(ended.map(seconds), [10, 3600, 10])
  t.equal(run.windows.skipped, 359)
  t.same(partials(ended), [false, true, false])
  t.equal(run.windows.stretched, 1)
})

t.test('nobody sleeps past the end of a window, nor long enough to miss a clock that was set', async t => {
  const { machine, windows } = begin()
  t.equal(windows.waitMs(), 250)
  machine.pass(6.9)
  t.equal(windows.waitMs(), 100)
  machine.pass(1)
  t.equal(windows.waitMs(), 0)
})

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ pass: fc.constantFrom(0.1, 0.25, 1, 2.5), set: fc.constant(0) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        pass: fc.constant(0.25),
        set: fc.double({ min: -0.002, max: 0.002, noNaN: true }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        pass: fc.constantFrom(0, 0.25, 30, 3600),
        set: fc.oneof(
          fc.constantFrom(-10, -7, 7, 10, 100),
          fc.double({ min: -5000, max: 5000, noNaN: true }),
        ),
      }),
    },
  ),
  { minLength: 1, maxLength: 300, size: 'max' },
)

t.test(
  'whatever the clocks do, windows touch, none grows without an end, and labels rise unless the clock is set back',
  async () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 10, 60), moves, (interval, moves) => {
        const machine = new Machine()
        const windows = new Windows(machine, interval)
        const first = windows.current
        let last: Window | undefined
        let back = false
        for (const { pass, set } of moves) {
          machine.pass(pass)
          machine.set(set)
          back ||= set < -0.002
          const now = machine.wallNs()
          const window = windows.next()
          const { current } = windows
          const given = current.index + windows.skipped
          if (windows.clockSet === 0 && current.time !== first.time + given * interval)
            throw new Error('a label is neither given nor counted')
          if (current.endNs <= current.startNs) throw new Error('a window without time')
          if (!window) continue
          if (window.index !== (last ? last.index + 1 : 0)) throw new Error('an index was left out')
          const length = Number(window.endNs - window.startNs) / 1e9
          if (!window.partial && (last === undefined || length > 1.5 * interval)) throw new Error('not whole')
          if (length > 3 * interval && windows.skipped + windows.clockSet === 0)
            throw new Error('it grew without an end')
          if (window.time % interval !== 0) throw new Error('no label')
          if (!back && window.time <= (last?.time ?? 0)) throw new Error('labels do not rise')
          if (window.startNs !== (last ?? { endNs: first.startNs }).endNs)
            throw new Error('windows do not touch')
          if (current.startNs !== window.endNs) throw new Error('the running window does not touch')
          if (window.endNs > machine.boot) throw new Error('it ended before its end')
          if (!window.partial && !back && BigInt(window.time) * S > now + S / 4n)
            throw new Error('a label from the future')
          last = window
        }
      }),
      { numRuns: 500 },
    )
  },
)

t.test('after whatever the clocks did, windows end with their labels again', async () => {
  fc.assert(
    fc.property(moves, moves => {
      const machine = new Machine()
      const windows = new Windows(machine, INTERVAL)
      for (const { pass, set } of moves) {
        machine.pass(pass)
        machine.set(set)
        windows.next()
      }
      machine.pass(0.001)
      for (let i = 0; windows.next(); i++) if (i > 10) throw new Error('it does not catch up')
      const { current } = windows
      const off = current.endNs + machine.offset - BigInt(current.time) * S
      if (off > S / 4n || off < -S / 4n) throw new Error(`${off} ns beside its label`)
    }),
    { numRuns: 500 },
  )
})
