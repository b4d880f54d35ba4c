import { pino } from 'pino'
import t from 'tap'
import { type Batch, countOf, weightOf } from '../../../collector/batch.ts'
import { SinkQueue } from '../../../collector/sinks/queue.ts'
import { Refused, type Sink, type Trouble } from '../../../collector/sinks/sink.ts'
import { batch, sample } from '../../harness/samples.ts'
import { Stage } from '../flows/given.ts'

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
  requests = 0
  override write(batch: Batch): Promise<void> {
    this.requests++
    return super.write(batch)
  }
  async writeAll(batches: readonly Batch[]): Promise<void> {
    this.requests++
    this.groups.push(batches.map(({ id }) => id.window))
    for (const one of batches) await super.write(one)
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
  t.match(lines[0]?.msg, /^down; trying again, 1 batches are queued/)
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

t.test('when something is refused of several, they are halved: only its own is refused', async t => {
  const { sink, queue } = start({ sink: new Together() })
  sink.answer = ({ id }) => {
    if (id.window === 3) throw new Refused('partial_write', 4, 'no')
  }
  for (const window of [1, 2, 3, 4]) queue.push(ten(window), () => {})
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.groups, [
    [2, 3, 4],
    [2, 3],
  ])
  t.same(sink.windows, [1, 2, 2, 2, 4])
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

const of = (host: string, window: number, samples = 10): Batch => {
  const one = batch(
    window,
    Array.from({ length: samples }, () => sample([1, 2])),
  )
  return { ...one, id: { ...one.id, host } }
}
const failing = (fault: Trouble['fault'], reason = 'status_400') =>
  Object.assign(new Error('no'), { reason, fault })

t.test(
  'one refused batch of a hundred costs a few requests, and the next ones go together again',
  async t => {
    const { sink, queue } = start({ sink: new Together(), maxSamples: 1_000_000, gatherMs: 1 })
    sink.answer = ({ id }) => {
      if (id.window === 37) throw new Refused('partial_write', 1, 'no')
    }
    for (let window = 0; window < 100; window++) queue.push(of(`h${window}`, window), () => {})
    await queue.close({ deadlineMs: 1000 })
    t.ok(sink.requests < 20, `${sink.requests} requests`)
    t.match(queue.counters, { written: 100, samples: 999, refused: { partial_write: 1 }, waiting: 0 })
  },
)

t.test('a host whose batches fail holds nobody up, and is given up while others are stored', async t => {
  for (const sink of [new Store(), new Together()]) {
    const { queue, wake } = start({ sink, maxSamples: 1_000_000 })
    sink.answer = ({ id }) => {
      if (id.host === 'bad') throw failing('batch')
    }
    const stored = new Set<number>()
    for (let round = 0; round < 20; round++) {
      queue.push(of('bad', round), () => {})
      for (const host of ['a', 'b', 'c']) queue.push(of(host, round), () => stored.add(round))
      for (let turns = 0; turns < 20; turns++) {
        await turn()
        if (round < 3) wake()
      }
    }
    t.equal(stored.size, 20, 'also while nobody wakes it from waiting for the bad one')
    t.equal(queue.counters.samples, 600)
    t.ok((queue.counters.refused['status_400'] ?? 0) >= 10, 'dropped, with its reason')
    await queue.close({ deadlineMs: 0 })
  }
})

t.test('what fails for an unknown cause holds nobody up either, but is kept', async t => {
  const { sink, queue, wake } = start({ sink: new Together(), maxSamples: 1_000_000 })
  let isDown = true
  sink.answer = ({ id }) => {
    if (isDown && id.host === 'bad') throw failing('unknown', 'status_500')
  }
  let stored = 0
  for (let round = 0; round < 10; round++) {
    queue.push(of('bad', round), () => {})
    queue.push(of('good', round), () => stored++)
    for (let turns = 0; turns < 20; turns++) {
      await turn()
      wake()
    }
  }
  t.same([stored, queue.counters.refused, queue.counters.waiting], [10, {}, 100])
  isDown = false
  await queue.close({ deadlineMs: 1000 })
  t.match(queue.counters, { written: 20, samples: 200, refused: {}, waiting: 0 })
})

t.test('when every batch fails, all are kept', async t => {
  const { sink, queue, wake, slept } = start({ sink: new Together(), maxSamples: 1_000_000 })
  let isDown = true
  sink.answer = () => {
    if (isDown) throw failing('batch')
  }
  for (let window = 0; window < 10; window++) queue.push(of(`h${window}`, window), () => {})
  for (let turns = 0; turns < 200; turns++) {
    await turn()
    wake()
  }
  t.same([queue.counters.refused, queue.counters.waiting], [{}, 100])
  t.equal(Math.max(...slept) > 10_000, true, 'ever more rarely')
  isDown = false
  await queue.close({ deadlineMs: 1000 })
  t.match(queue.counters, { samples: 100, refused: {}, waiting: 0 })
})

t.test('a full queue drops the oldest batch of the host that has most in it', async t => {
  const { sink, queue, lines } = start({ maxSamples: 100 })
  const gate = Promise.withResolvers<void>()
  sink.answer = () => gate.promise
  queue.push(of('first', 0), () => {})
  for (const host of ['a', 'b', 'c']) queue.push(of(host, 1), () => {})
  const given: number[] = []
  for (let window = 10; window < 30; window++) queue.push(of('flood', window), () => given.push(window))
  t.same(given, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
  t.match(lines.at(-1)?.msg, 'batches of host "flood", which has the most samples in it, are dropped')
  gate.resolve()
  await queue.close({ deadlineMs: 1000 })
  t.same(sink.windows, [0, 1, 1, 1, 24, 25, 26, 27, 28, 29])
  t.match(queue.counters, { dropped: 140, samples: 100, waiting: 0 })
})

t.test('how long the sink has had a request is told, until it answers', async t => {
  let now = 0
  const { sink, queue } = start({ now: () => now })
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  sink.answer = () => {
    asked.resolve()
    return answer.promise
  }
  t.equal(queue.writingForMs, 0)
  const settled = new Promise<void>(resolve => queue.push(batch(1, [sample([1, 1])]), () => resolve()))
  await asked.promise
  now = 7000
  t.equal(queue.writingForMs, 7000)
  answer.resolve()
  await settled
  t.equal(queue.writingForMs, 0)
})

t.test('another bound counts from the next batch on', async t => {
  const { sink, queue } = start()
  sink.answer = () => new Promise(() => {})
  for (let window = 1; window <= 5; window++) queue.push(batch(window, [sample([window, 0])]), () => {})
  queue.maxSamples = 2
  t.equal(queue.counters.dropped, 0)
  queue.push(batch(6, [sample([6, 0])]), () => {})
  t.equal(queue.counters.dropped, 4)
})

t.test('a record of a conversation weighs what it takes', async t => {
  const stage = new Stage()
  for (let socket = 1; socket <= 10; socket++)
    stage.rows('a', 0, 'tcp_flow', [
      { socket, role: 1, state: 7, family: 2, closed_ns: 1e9, reported_ns: 1e9 },
    ])
  for (let window = 0; window < 20 && stage.batches.length === 0; window++) {
    stage.now += 10_000
    stage.end('a', window)
  }
  const records = stage.batches[0]!
  t.equal(countOf(records), 10)
  t.equal(weightOf(records), 590, 'as the help of --waiting-samples says')
  t.equal(weightOf(ten(1)), 10)

  const { sink, queue, wake } = start({ maxSamples: 1300 })
  sink.answer = () => {
    throw new Error('down')
  }
  const kept: (boolean | undefined)[] = []
  for (let window = 0; window < 4; window++)
    queue.push({ ...records, id: { ...records.id, window } }, isKept => kept.push(isKept))
  queue.push(ten(9), () => {})
  t.match(queue.counters, { dropped: 20, waiting: 30 }, 'counted as the samples that they are')
  t.same(kept, [false, false])
  sink.answer = () => {}
  while (sink.windows.length < 3) {
    await turn()
    wake()
  }
  await queue.close({ deadlineMs: 1000 })
  t.match(queue.counters, { samples: 30, waiting: 0 })
})
