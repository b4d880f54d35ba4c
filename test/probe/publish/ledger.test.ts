import fc from 'fast-check'
import t from 'tap'
import { type Accounts, type Amount, Ledger } from '../../../probe/publish/ledger.ts'
import { Queue } from '../../../probe/publish/queue.ts'

const run = { host: 'h', boot: 'b', probe: 'p' }

/** A queue, and windows of two messages: ten rows, then five rows and the end. Each message is 10 bytes. */
function world(messages: number) {
  const queue = new Queue(messages * 10, run)
  let sequence = 0
  const push = (window: number, rows: number, isEnd: boolean) =>
    queue.push({ window, rows, isEnd, sequence: sequence++, lost: {}, frames: [Buffer.alloc(10)] })
  return {
    queue,
    begin: (window: number) => push(window, 10, false),
    end: (window: number) => push(window, 5, true),
    window(window: number) {
      this.begin(window)
      this.end(window)
    },
    send(most = Number.POSITIVE_INFINITY) {
      for (let sent = 0; sent < most && queue.next(); sent++);
    },
    acknowledge: (window: number) => queue.acknowledge({ ...run, window }),
    /** `windows rows` of each account. */
    get accounts() {
      const { produced, stored, lost, waiting } = queue.ledger.accounts
      const text = ({ windows, rows }: Amount) => `${windows} ${rows}`
      return {
        ...{ produced: text(produced), stored: text(stored) },
        ...{ full: text(lost.full), stopped: text(lost.stopped), waiting: text(waiting) },
      }
    },
  }
}

t.test('what is acknowledged is stored', async t => {
  const w = world(100)
  w.window(0)
  w.begin(1)
  w.send()
  t.match(w.accounts, { produced: '2 25', stored: '0 0', waiting: '2 25' })
  w.acknowledge(0)
  t.match(w.accounts, { produced: '2 25', stored: '1 15', waiting: '1 10' })
})

t.test('what nobody was sent is lost when it is dropped, with all rows of its window', async t => {
  const w = world(3)
  w.window(0)
  w.window(1)
  t.match(w.accounts, { produced: '2 30', full: '1 15', waiting: '1 15' })
})

t.test('what the collector has dropped is lost, and waits no longer', async t => {
  const w = world(100)
  w.window(0)
  w.window(1)
  w.send()
  w.queue.acknowledge({ ...run, window: 0, lost: true })
  w.acknowledge(1)
  const { stored, lost, waiting } = w.queue.ledger.accounts
  t.same(
    [stored, lost.collector_full, waiting.windows],
    [{ windows: 1, rows: 15 }, { windows: 1, rows: 15 }, 0],
  )
  t.equal(w.queue.length, 0)
})

t.test('a window that was sent, dropped and then acknowledged is stored', async t => {
  const w = world(3)
  w.window(0)
  w.send()
  w.window(1)
  w.window(2)
  t.match(w.accounts, { full: '1 15', waiting: '2 30' }, 'window 1 is lost, window 0 may be stored')
  w.acknowledge(0)
  t.match(w.accounts, { produced: '3 45', stored: '1 15', full: '1 15', waiting: '1 15' })
})

t.test('a window that goes on after its beginning was dropped is stored when it is acknowledged', async t => {
  const w = world(2)
  w.begin(0)
  w.begin(0)
  w.send()
  w.begin(0)
  w.end(0)
  w.send()
  w.acknowledge(0)
  t.match(w.accounts, { produced: '1 35', stored: '1 35', full: '0 0', waiting: '0 0' })
})

t.test(
  'a window whose connection died after its beginning was dropped is lost, with what is to come',
  async t => {
    const w = world(2)
    for (let message = 0; message < 3; message++) {
      w.begin(0)
      w.send()
    }
    t.match(w.accounts, { full: '0 0', waiting: '1 30' })
    w.queue.rewind()
    t.match(w.accounts, { full: '1 30', waiting: '0 0' })
    w.end(0)
    w.send()
    t.match(w.accounts, { produced: '1 35', full: '1 35', waiting: '0 0' })
  },
)

t.test('a dropped window that is not acknowledged when newer ones are is lost', async t => {
  const w = world(2)
  for (let window = 0; window < 6; window++) {
    w.window(window)
    w.send()
  }
  t.match(w.accounts, { full: '0 0', waiting: '6 90' })
  w.acknowledge(4)
  t.match(w.accounts, { stored: '1 15', full: '1 15', waiting: '4 60' }, 'window 0')
  w.acknowledge(0)
  t.match(w.accounts, { stored: '1 15', full: '1 15' }, 'too late')
  w.acknowledge(3)
  t.match(w.accounts, { stored: '2 30', full: '1 15', waiting: '3 45' })
})

t.test('acknowledgements of windows that are not there yet, or twice, change nothing', async t => {
  const w = world(2)
  w.window(0)
  w.send()
  w.window(1)
  for (const window of [2 ** 52, 2, 0, 0]) w.acknowledge(window)
  t.match(w.accounts, { produced: '2 30', stored: '1 15', full: '0 0', waiting: '1 15' })
})

t.test('what waits when the probe stops is lost: stopped, or full where it was dropped before', async t => {
  const w = world(3)
  w.window(0)
  w.send()
  w.window(1)
  w.begin(2)
  w.queue.ledger.stop()
  t.same(w.accounts, { produced: '3 40', stored: '0 0', full: '1 15', stopped: '2 25', waiting: '0 0' })
  w.acknowledge(1)
  t.match(w.accounts, { stored: '0 0', waiting: '0 0' })
})

t.test('of windows that were dropped and may still be acknowledged, there is a bounded number', async t => {
  const ledger = new Ledger()
  for (let window = 0; window < 3000; window++) {
    ledger.push(window, 1)
    ledger.sent(window)
    ledger.dropped(window, false)
  }
  t.equal(ledger.doubtful, 1024)
  t.same(ledger.lost.full, { windows: 1976, rows: 1976 })
  t.same(ledger.waiting, { windows: 1024, rows: 1024 })
})

type Step =
  | { readonly do: 'push' | 'end'; readonly rows: number }
  | { readonly do: 'next' | 'rewind' }
  | { readonly do: 'acknowledge'; readonly back: number }
const rows = fc.nat({ max: 50 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), rows }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), rows }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rewind' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('acknowledge' as const), back: fc.nat({ max: 7 }) }),
  },
)

const total = (accounts: Accounts): Amount => {
  const { stored, lost, waiting } = accounts
  const parts = [stored, lost.full, lost.stopped, waiting]
  return {
    windows: parts.reduce((sum, { windows }) => sum + windows, 0),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
  }
}

/** What a collector can know: which windows reached it whole, and which it acknowledged in time. */
class Truth {
  readonly rows: number[] = []
  /** Windows of which all messages went out on one connection. */
  readonly delivered = new Set<number>()
  readonly acknowledged = new Set<number>()
  #newestAcknowledged = -1
  /** Windows that were acknowledged although a much newer one was before. */
  readonly late = new Set<number>()

  acknowledge(window: number): void {
    if (window + 4 <= this.#newestAcknowledged && !this.acknowledged.has(window)) this.late.add(window)
    this.acknowledged.add(window)
    this.#newestAcknowledged = Math.max(this.#newestAcknowledged, window)
  }
}

t.test(
  'at every moment produced = stored + lost + waiting; what reached nobody is never stored',
  async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 300 }),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (maxBytes, steps) => {
          const queue = new Queue(maxBytes, run)
          const truth = new Truth()
          let [window, sequence] = [0, 0]
          const push = (rows: number, isEnd: boolean) => {
            truth.rows[window] = (truth.rows[window] ?? 0) + rows
            const frames = [Buffer.alloc(10)]
            queue.push({ window, rows, isEnd, sequence: sequence++, lost: {}, frames })
            if (isEnd) window++
          }
          for (const step of steps) {
            if (step.do === 'push') push(step.rows, false)
            else if (step.do === 'end') push(step.rows, true)
            else if (step.do === 'next') {
              const sent = queue.next()
              if (sent?.isEnd) truth.delivered.add(sent.window)
            } else if (step.do === 'rewind') queue.rewind()
            else if (step.do === 'acknowledge') {
              const acknowledged = [...truth.delivered].sort((a, b) => a - b).at(-1 - step.back)
              if (acknowledged === undefined) continue
              truth.acknowledge(acknowledged)
              queue.acknowledge({ ...run, window: acknowledged })
            }
            check(queue, truth)
          }
          queue.ledger.stop()
          check(queue, truth)
          if (queue.ledger.waiting.windows > 0) throw new Error('something waits after the end')
        },
      ),
      { numRuns: 1000 },
    )
  },
)

function check(queue: Queue, { rows, acknowledged, late }: Truth): void {
  const { accounts } = queue.ledger
  const produced = { windows: rows.length, rows: rows.reduce((sum, count) => sum + count, 0) }
  for (const found of [accounts.produced, total(accounts)])
    if (found.windows !== produced.windows || found.rows !== produced.rows)
      throw new Error(`${JSON.stringify(produced)} were produced: ${JSON.stringify(accounts)}`)
  const certain = [...acknowledged].filter(window => !late.has(window))
  const rowsOf = (windows: readonly number[]) => windows.reduce((sum, window) => sum + rows[window]!, 0)
  const { stored } = accounts
  if (stored.windows < certain.length || stored.rows < rowsOf(certain))
    throw new Error(`${certain} are acknowledged: ${JSON.stringify(accounts)}`)
  if (stored.windows > acknowledged.size || stored.rows > rowsOf([...acknowledged]))
    throw new Error(`only ${[...acknowledged]} are acknowledged: ${JSON.stringify(accounts)}`)
}
