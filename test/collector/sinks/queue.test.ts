import { pino } from 'pino'
import t from 'tap'
import type { Batch } from '../../../collector/batch.ts'
import { SinkQueue } from '../../../collector/sinks/queue.ts'
import { Refused, type Sink } from '../../../collector/sinks/sink.ts'
import { batch, sample } from '../../harness/samples.ts'

/** A sink that keeps what it gets and does what the test says. */
class Store implements Sink {
  readonly name = 'store'
  readonly windows: number[] = []
  readonly closed = Promise.withResolvers<void>()
  answer: (batch: Batch) => Promise<void> | void = () => {}
  async write(batch: Batch): Promise<void> {
    await this.answer(batch)
    this.windows.push(batch.id.window)
  }
  async close(): Promise<void> {
    this.closed.resolve()
  }
}

/** One that can write several at once, and refuses them when one of them is refused. */
class Together extends Store {
  readonly groups: number[][] = []
  async writeAll(batches: readonly Batch[]): Promise<void> {
    this.groups.push(batches.map(({ id }) => id.window))
    for (const one of batches) await this.write(one)
  }
}

function start<S extends Store = Store>(
  options: { maxSamples?: number; gatherMs?: number; now?: () => number; sink?: S } = {},
) {
  const sink = options.sink ?? (new Store() as S)
  const lines: { msg: string; reason: string; suppressed?: number }[] = []
  const slept: number[] = []
  const asleep = Promise.withResolvers<void>()
  let wake: (() => void) | undefined
  const queue = new SinkQueue(sink, {
    maxSamples: 100,
    gatherMs: 0,
    log: pino({}, { write: line => lines.push(JSON.parse(line)) }),
    sleep: (ms, signal) => {
      slept.push(ms)
      asleep.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      signal.addEventListener('abort', () => resolve())
      return promise
    },
    ...options,
  })
  return { sink, queue, lines, slept, asleep: asleep.promise, wake: () => wake?.() }
}

const ten = (window: number) =>
  batch(
    window,
    Array.from({ length: 10 }, () => sample([1, 2])),
  )
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('batches are written in order and done is called once each', async t => {
  const { sink, queue } = start()
  const done: number[] = []
  for (const window of [1, 2, 3]) queue.push(ten(window), () => done.push(window))
  t.equal(queue.counters.waiting, 30)
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [1, 2, 3])
  t.same(done, [1, 2, 3])
  t.same(queue.counters, { written: 3, samples: 30, refused: {}, dropped: 0, retries: 0, waiting: 0 })
})

t.test('an error is tried again, later each time and never later than thirty seconds', async t => {
  const { sink, queue, slept, lines, wake } = start()
  let failures = 12
  sink.answer = () => {
    if (failures-- > 0) throw new Error('down')
  }
  queue.push(ten(1), () => {})
  while (sink.windows.length === 0) {
    await turn()
    wake()
  }
  t.equal(slept.length, 12)
  t.equal(queue.counters.retries, 12)
  for (const [attempt, ms] of slept.entries()) {
    const longest = Math.min(30_000, 250 * 2 ** attempt)
    t.ok(ms >= longest / 2 && ms <= longest, `attempt ${attempt} waits ${ms} ms`)
  }
  t.equal(lines.length, 1, 'one line for one reason in one minute')
  t.match(lines[0]?.msg, /^down; trying again, 1 batches wait/)
  await queue.close({ deadlineMs: 1000 })
})

t.test('the patience that the server asks for is kept, within reason', async t => {
  const { sink, queue, slept, asleep } = start()
  sink.answer = () => {
    throw Object.assign(new Error('slow down'), { retryAfterMs: slept.length ? 1e9 : 7000 })
  }
  queue.push(ten(1), () => {})
  await asleep
  t.equal(slept[0], 7000)
  await queue.close({ deadlineMs: 1 })
  t.equal(slept[1], 300_000)
})

t.test('a refused batch is counted by reason and does not hold up the rest', async t => {
  const { sink, queue, lines } = start()
  sink.answer = ({ id }) => {
    if (id.window === 1) throw new Refused('partial_write', 4, 'four samples of the wrong type')
    if (id.window === 2) throw new Refused('bad_request', 10, 'all ten')
  }
  const done: number[] = []
  for (const window of [1, 2, 3]) queue.push(ten(window), () => done.push(window))
  await queue.close({ deadlineMs: 1000 })
  t.same(done, [1, 2, 3])
  t.match(queue.counters, {
    written: 2,
    samples: 16,
    refused: { partial_write: 4, bad_request: 10 },
    waiting: 0,
  })
  t.same(
    lines.map(({ msg }) => msg),
    ['four samples of the wrong type', 'all ten'],
  )
})

t.test('a full queue drops the oldest batch that is not being written', async t => {
  const { sink, queue, lines } = start({ maxSamples: 30 })
  const gate = Promise.withResolvers<void>()
  sink.answer = () => gate.promise
  const done: number[] = []
  for (const window of [1, 2, 3, 4, 5]) queue.push(ten(window), () => done.push(window))
  t.same(done, [2, 3], 'given up at once')
  t.match(queue.counters, { dropped: 20, waiting: 30 })
  gate.resolve()
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [1, 4, 5])
  t.same(done, [2, 3, 1, 4, 5])
  t.equal(lines.length, 1)
})

t.test('a batch that waits for its next try can be dropped too', async t => {
  const { sink, queue, asleep, wake } = start({ maxSamples: 20 })
  sink.answer = () => {
    throw new Error('down')
  }
  const done: number[] = []
  queue.push(ten(1), () => done.push(1))
  await asleep
  for (const window of [2, 3]) queue.push(ten(window), () => done.push(window))
  t.same(done, [1])
  sink.answer = () => {}
  wake()
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [2, 3])
  t.equal(queue.counters.waiting, 0)
})

t.test('the newest batch is kept even when it alone is more than the bound', async t => {
  const { sink, queue } = start({ maxSamples: 5 })
  queue.push(ten(1), () => {})
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [1])
})

t.test('the log says how many lines it kept to itself', async t => {
  let now = 0
  const { sink, queue, lines } = start({ now: () => now })
  sink.answer = () => {
    throw new Refused('bad_request', 10, 'no')
  }
  for (const window of [1, 2, 3]) queue.push(ten(window), () => {})
  await turn()
  now = 60_000
  queue.push(ten(4), () => {})
  await queue.close({ deadlineMs: 1000 })
  t.same(
    lines.map(({ suppressed }) => suppressed),
    [undefined, 2],
  )
})

t.test('closing does not wait for the back-off', async t => {
  const { sink, queue, asleep } = start()
  sink.answer = () => {
    throw new Error('down')
  }
  queue.push(ten(1), () => {})
  await asleep
  sink.answer = () => {}
  await queue.close({ deadlineMs: 60_000 })
  t.same(sink.windows, [1])
})

t.test('what cannot be written before the deadline stays unsettled and is said', async t => {
  const { sink, queue, lines } = start()
  sink.answer = () => sink.closed.promise.then(() => Promise.reject(new Error('closed')))
  let done = 0
  for (const window of [1, 2]) queue.push(ten(window), () => done++)
  await queue.close({ deadlineMs: 10 })
  t.equal(done, 0)
  t.match(lines.at(-1)?.msg, 'closed with 2 batches not written')
})

t.test('what waits meanwhile is written together, where the sink can', async t => {
  const { sink, queue } = start({ sink: new Together(), maxSamples: 1_000_000 })
  const done: number[] = []
  const many = batch(
    5,
    Array.from({ length: 4990 }, () => sample([1, 2])),
  )
  for (const one of [ten(1), ten(2), ten(3), ten(4), many, ten(6)])
    queue.push(one, () => done.push(one.id.window))
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.groups, [
    [2, 3, 4],
    [5, 6],
  ])
  t.same(sink.windows, [1, 2, 3, 4, 5, 6])
  t.same(done, [1, 2, 3, 4, 5, 6])
  t.match(queue.counters, { written: 6, samples: 5040, waiting: 0 })
})

t.test('when something is refused of several, each is written alone: only its own is refused', async t => {
  const { sink, queue } = start({ sink: new Together() })
  sink.answer = ({ id }) => {
    if (id.window === 3) throw new Refused('partial_write', 4, 'no')
  }
  for (const window of [1, 2, 3, 4]) queue.push(ten(window), () => {})
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.groups, [[2, 3, 4]])
  t.same(sink.windows, [1, 2, 2, 4])
  t.match(queue.counters, { written: 4, samples: 36, refused: { partial_write: 4 }, waiting: 0 })
})

t.test('what is tried again together is tried again together, and what must wait may be dropped', async t => {
  const { sink, queue, asleep, wake } = start({ sink: new Together(), maxSamples: 40 })
  let down = true
  sink.answer = () => {
    if (down) throw new Error('down')
  }
  for (const window of [1, 2, 3]) queue.push(ten(window), () => {})
  await asleep
  for (const window of [4, 5]) queue.push(ten(window), () => {})
  t.equal(queue.counters.dropped, 10)
  down = false
  wake()
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [2, 3, 4, 5])
  t.match(queue.counters, { written: 4, dropped: 10, waiting: 0 })
})

t.test(
  'where several can be written at once, the first waits for more: a moment, or until they are enough',
  async t => {
    const { sink, queue, slept, wake, asleep } = start({
      maxSamples: 10_000,
      gatherMs: 200,
      sink: new Together(),
    })
    for (const window of [1, 2, 3]) queue.push(ten(window), () => {})
    await asleep
    t.same([slept, sink.windows], [[200], []])
    wake()
    await turn()
    t.same([sink.groups, sink.windows], [[[1, 2, 3]], [1, 2, 3]])
    const many = batch(
      4,
      Array.from({ length: 4990 }, () => sample([1, 2])),
    )
    queue.push(many, () => {})
    await turn()
    t.same(
      [slept, sink.windows],
      [
        [200, 200],
        [1, 2, 3],
      ],
    )
    queue.push(ten(5), () => {})
    await turn()
    t.same(sink.windows, [1, 2, 3, 4, 5])
    queue.push(ten(6), () => {})
    await queue.close({ deadlineMs: 1000 })
    t.same(sink.windows, [1, 2, 3, 4, 5, 6], 'one that closes waits for nobody')
  },
)
