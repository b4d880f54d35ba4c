import fc from 'fast-check'
import t from 'tap'
import { decode } from '../../../wire/message.ts'
import { type Collector, type Probe, RANKS, type Step, World } from '../world.ts'

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ do: 'push' as const }) },
  { weight: 12, arbitrary: fc.constant({ do: 'end' as const }) },
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constantFrom('send' as const, 'read' as const, 'answer' as const),
      collector: fc.constantFrom(...RANKS),
      number: fc.nat({ max: 12 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(['kill', 'start', 'start', 'stop', 'continue', 'continue', 'cut', 'connect', 'connect'] as const),
      ),
      collector: fc.constantFrom(...RANKS),
      number: fc.nat({ max: 12 }),
    }),
  },
)

/** What was produced is stored, lost or waits: at every moment. */
function checkAccounts({ failover, ended, rows }: Probe): void {
  const { produced, stored, lost, waiting } = failover.queue.ledger.accounts
  const parts = [stored, lost.full, lost.stopped, waiting]
  const windows = parts.reduce((sum, amount) => sum + amount.windows, 0)
  const all = parts.reduce((sum, amount) => sum + amount.rows, 0)
  const made = ended.reduce((sum, window) => sum + window.rows, rows)
  if (produced.windows !== windows || produced.rows !== all || made !== all)
    throw new Error(`${made} rows: ${JSON.stringify({ produced, stored, lost, waiting })}`)
}

t.test(
  'whatever happens to three collectors, each window is written whole, as it was, and none is lost',
  async t => {
    let twice = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), steps => {
        const world = new World()
        for (const collector of world.collectors) collector.connect()
        const { probe, written, collectors } = world
        for (const step of steps) {
          world.take(step)
          checkAccounts(probe)
        }
        world.heal(4)
        checkAccounts(probe)
        const { produced, stored } = probe.failover.queue.ledger
        if (stored.windows !== produced.windows || stored.rows !== produced.rows)
          throw new Error(`${JSON.stringify(stored)} of ${JSON.stringify(produced)} are stored`)
        for (let window = 1; window < probe.window; window++)
          if (!written.has(window)) throw new Error(`window ${window} was not written`)
        if (probe.failover.queue.length > 0) throw new Error(`${probe.failover.queue.length} messages wait`)
        for (const collector of collectors)
          for (const counts of collector.counted())
            if (Object.keys(counts).length > 0) throw new Error(`counted ${JSON.stringify(counts)}`)
        twice += [...written.values()].filter(times => times > 1).length
      }),
      { numRuns: 500 },
    )
    t.ok(twice > 0, `${twice} windows were written by more than one`)
  },
)

t.test('with a queue that is too small, what is lost is what no collector wrote', async t => {
  let lostWindows = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 8000, max: 40_000 }),
      fc.array(step, { maxLength: 300, size: 'max' }),
      (queueBytes, steps) => {
        const world = new World(queueBytes)
        const { probe, written, damaged, collectors } = world
        for (const collector of collectors) collector.connect()
        for (const step of steps) {
          world.take(step)
          checkAccounts(probe)
        }
        world.heal(8)
        checkAccounts(probe)
        const { stored, lost, waiting } = probe.failover.queue.ledger.accounts
        if (waiting.windows > 0) throw new Error(`${waiting.windows} windows wait`)
        // the first window is partial, and not written
        const most = new Set([0, ...written.keys(), ...damaged]).size
        if (stored.windows > most) throw new Error(`${stored.windows} are stored, ${most} were written`)
        lostWindows += lost.full.windows
      },
    ),
    { numRuns: 300 },
  )
  t.ok(lostWindows > 0, `${lostWindows} windows were lost`)
})

/** Windows with a message of rows each; every collector is there, and those that are named take and acknowledge. */
function start(queueBytes?: number) {
  const world = new World(queueBytes)
  const { probe, collectors, written } = world
  for (const collector of collectors) collector.connect()
  const windows = (count: number, ...answering: number[]) => {
    for (let window = 0; window < count; window++) {
      probe.push(1)
      probe.end()
      for (const rank of answering) {
        collectors[rank]!.send(100)
        collectors[rank]!.read(collectors[rank]!.pipes.length - 1, 100)
        collectors[rank]!.answer(100)
      }
    }
  }
  /** What a collector would be sent now: `topic window`. */
  const next = (rank: number) => {
    const said: string[] = []
    for (;;) {
      const frames = probe.failover.feeds[rank]!.next()
      if (!frames) return said
      const { topic, head } = decode(frames)
      said.push(`${topic} ${head.window}${'elsewhere' in head && head.elsewhere ? ' elsewhere' : ''}`)
    }
  }
  const collector = (rank: number): Collector => collectors[rank]!
  return { probe, windows, next, collector, written }
}

t.test(
  'when the first is lost, the next gets what is not acknowledged, once the window has ended',
  async t => {
    const { probe, windows, next, collector } = start()
    windows(2, 0)
    probe.push(1)
    collector(0).send(100)
    collector(0).kill()
    probe.push(1)
    t.same([next(1), next(2)], [[], []])
    probe.end()
    t.same(next(1), ['settled 2 elsewhere', 'rows 2', 'rows 2', 'window 2'])
    t.same([next(0), next(2)], [[], []])
  },
)

t.test('one that is back before the window has ended was not away', async t => {
  const { probe, windows, next, collector } = start()
  windows(2, 0)
  probe.push(1)
  collector(0).disconnect(0)
  collector(0).connect()
  probe.end()
  t.same([next(0), next(1)], [['settled 2', 'rows 2', 'window 2'], []])
})

t.test('a better one that is back gets the next window when the others are acknowledged', async t => {
  const { probe, windows, next, collector } = start()
  collector(0).disconnect(0)
  windows(3, 1)
  collector(0).connect()
  t.same(next(0), [], 'not in the middle of a window')
  windows(1)
  probe.push(1)
  t.same(next(0), [], 'not before they are')
  collector(1).send(100)
  collector(1).read(0, 100)
  collector(1).answer(100)
  t.same(
    [next(0), next(1)],
    [['settled 4 elsewhere', 'rows 4'], ['settled 4']],
    'and the other one may forget its own',
  )
  t.same([next(0), next(1)], [[], []], 'once')
})

t.test(
  'one that works and does not acknowledge its last windows is not waited for longer than two',
  async t => {
    const { windows, next, collector } = start()
    collector(0).disconnect(0)
    windows(3, 1)
    collector(0).connect()
    windows(2)
    t.same(next(0), [])
    windows(1)
    t.same(
      next(0),
      [3, 4, 5]
        .flatMap(window => [`rows ${window}`, `window ${window}`])
        .toSpliced(0, 0, 'settled 3 elsewhere'),
    )
  },
)

t.test('one that acknowledges nothing for four windows is left until it does', async t => {
  const { windows, next, collector } = start()
  windows(2, 0)
  collector(0).isStopped = true
  windows(4, 0, 1)
  t.equal(collector(1).ingest.received, 0)
  windows(1, 0, 1)
  t.equal(collector(1).ingest.received, 10)
  collector(0).isStopped = false
  collector(0).read(0, 100)
  collector(0).answer(100)
  windows(2, 0, 1)
  t.same([next(0), next(1)], [[], []])
  t.equal(collector(1).ingest.received, 12, 'it has one more, and the first has the last')
})

t.test('when nobody acknowledges, each is tried once and the first is kept', async t => {
  const { probe, windows, next } = start()
  windows(5)
  t.same([next(0).length, next(1).length, next(2).length], [0, 11, 0])
  windows(5)
  t.same([next(0).length, next(1).length, next(2).length], [0, 0, 21])
  windows(5)
  t.same([next(0).length, next(1).length, next(2).length], [31, 0, 0])
  windows(20)
  t.same([next(0).length, next(1).length, next(2).length], [40, 0, 0])
  t.equal(probe.failover.queue.length, 70)
})

t.test(
  'when nobody is there, what has no room is dropped, oldest first, and counted where it is missed',
  async t => {
    const { probe, windows, collector } = start(10_000)
    windows(2, 0)
    for (const rank of RANKS) collector(rank).kill()
    windows(40)
    const { dropped, bytes } = probe.failover.queue
    t.ok(dropped > 0 && bytes <= 10_000, `${dropped} messages were dropped`)
    collector(1).isRunning = true
    collector(1).connect()
    windows(1, 1)
    t.equal(probe.failover.queue.length, 0)
    t.match(collector(1).ingest.lost, { gap: probe.failover.queue.dropped })
  },
)
