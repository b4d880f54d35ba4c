import fc from 'fast-check'
import t from 'tap'
import { Queue } from '../../../probe/publish/queue.ts'

const run = { host: 'h', boot: 'b', probe: 'p' }
const message = (window: number, bytes = 10) => ({
  ...{ window, sequence: 0, lost: {}, rows: 1, isEnd: false },
  frames: [Buffer.alloc(bytes)],
})
function sent(queue: Queue): number[] {
  const windows: number[] = []
  for (let next = queue.next(); next; next = queue.next()) windows.push(next.window)
  return windows
}
const filled = (maxBytes: number, ...windows: number[]) => {
  const queue = new Queue(maxBytes, run)
  for (const window of windows) queue.push(message(window))
  return queue
}

t.test('messages go out once, in order, and stay until their window is acknowledged', async t => {
  const queue = filled(1000, 0, 0, 1)
  t.same(sent(queue), [0, 0, 1])
  t.same([queue.length, queue.bytes], [3, 30])
  queue.acknowledge({ ...run, window: 0 })
  t.same([queue.length, queue.bytes], [1, 10])
  queue.push(message(2))
  t.same(sent(queue), [2])
})

t.test('a new connection gets everything that is not acknowledged once more', async t => {
  const queue = filled(1000, 0, 1, 2)
  sent(queue)
  queue.acknowledge({ ...run, window: 0 })
  queue.rewind()
  t.same(sent(queue), [1, 2])
})

t.test('a window that is acknowledged before an older one goes when that goes', async t => {
  const queue = filled(1000, 0, 1, 1, 2)
  sent(queue)
  queue.acknowledge({ ...run, window: 7 })
  queue.acknowledge({ ...run, window: 1 })
  t.match(queue, { length: 4, settled: { window: 0 } })
  queue.acknowledge({ ...run, window: 0 })
  t.match(queue, { length: 1, oldest: 2, bytes: 10, settled: { window: 2 } })
})

t.test(
  'another collector gets no holes: what is acknowledged before an older one goes to it, too',
  async t => {
    const queue = filled(1000, 0, 1)
    sent(queue)
    queue.acknowledge({ ...run, window: 1 })
    queue.rewind()
    t.match(queue.next(), { window: 0 })
    queue.acknowledge({ ...run, window: 0 })
    t.same(sent(queue), [1])
  },
)

t.test(
  'what went out once and is acknowledged is released; what went out twice may still be read',
  async t => {
    const queue = new Queue(30, run)
    const released: number[] = []
    const push = (window: number) => queue.push({ ...message(window), release: () => released.push(window) })
    for (const window of [0, 1, 2]) push(window)
    t.match([queue.next(), queue.next()], [{ window: 0 }, { window: 1 }])
    queue.acknowledge({ ...run, window: 0 })
    t.same(released, [0])
    queue.rewind()
    sent(queue)
    queue.acknowledge({ ...run, window: 1 })
    queue.acknowledge({ ...run, window: 2 })
    t.same(released, [0, 2])
    for (const window of [3, 4, 5, 6]) push(window)
    t.same([queue.dropped, released], [1, [0, 2, 3]], 'what was dropped before it was sent')
    queue.next()
    push(7)
    t.same([queue.dropped, released], [2, [0, 2, 3]], 'what was sent may be on its way')
  },
)

t.test('what is settled is told with its last message', async t => {
  const queue = new Queue(1000, run)
  const push = (window: number, sequence: number, full: number) =>
    queue.push({ ...message(window), sequence, lost: { 'queue/full': full } })
  t.same(queue.settled, { ...run, window: 0, sequence: 0, lost: {} })
  push(0, 0, 1)
  push(0, 1, 2)
  push(1, 2, 3)
  queue.acknowledge({ ...run, window: 0 })
  t.same(queue.settled, { ...run, window: 1, sequence: 2, lost: { 'queue/full': 2 } })
})

t.test('later windows can wait', async t => {
  const queue = filled(1000, 0, 1)
  t.match(queue.next(0), { window: 0 })
  t.equal(queue.next(0), undefined)
  t.match(queue.next(), { window: 1 })
})

t.test('what is acknowledged and has to go for want of room is not lost', async t => {
  const queue = filled(40, 0, 1, 1, 2)
  sent(queue)
  queue.acknowledge({ ...run, window: 1 })
  queue.push(message(2, 20))
  t.same([queue.dropped, queue.length, queue.bytes], [1, 2, 30])
})

t.test('a full queue drops its oldest window whole, and counts its messages', async t => {
  const queue = filled(50, 0, 0, 0, 1, 1, 1)
  t.same(sent(queue), [1, 1, 1])
  t.equal(queue.dropped, 3)
  t.same([queue.length, queue.bytes], [3, 30])
})

t.test('what is still to come of a window that lost a message is dropped, too', async t => {
  const queue = filled(20, 0, 0, 0)
  t.same(sent(queue), [])
  queue.push(message(0))
  queue.push(message(1))
  t.same(sent(queue), [1])
  t.equal(queue.dropped, 4)
})

t.test(
  'a window whose beginning was sent before it was dropped goes on, on this connection alone',
  async t => {
    const queue = filled(30, 0, 0)
    t.same(sent(queue), [0, 0])
    queue.push(message(0))
    queue.push(message(0))
    t.same(sent(queue), [0, 0], 'the collector has the first of them')
    queue.rewind()
    queue.push(message(1))
    t.same(sent(queue), [1])
  },
)

t.test('one message that is larger than the queue still goes out', async t => {
  const queue = filled(5, 0)
  t.same(sent(queue), [0])
})

interface Sent {
  readonly window: number
  readonly name: number
  readonly bytes: number
  /** On this connection. */
  sent: boolean
  acknowledged: boolean
}

/** The same in the plainest way. */
class Reference {
  readonly #maxBytes: number
  kept: Sent[] = []
  gone: Sent[] = []
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }
  get bytes(): number {
    return this.kept.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  push(message: Sent): void {
    this.kept.push(message)
    while (this.bytes > this.#maxBytes && this.kept.length > 1) {
      const oldest = this.kept.shift()!
      if (!oldest.acknowledged) this.gone.push(oldest)
    }
    this.#release()
  }
  next(): number | undefined {
    for (;;) {
      const message = this.kept.find(({ sent }) => !sent)
      if (!message) return undefined
      if (!this.gone.some(({ window, sent }) => window === message.window && !sent)) {
        message.sent = true
        return message.name
      }
      this.kept.splice(this.kept.indexOf(message), 1)
      this.gone.push(message)
      this.#release()
    }
  }
  rewind(): void {
    for (const message of [...this.kept, ...this.gone]) message.sent = false
    for (const message of this.kept) message.acknowledged = false
  }
  acknowledge(window: number): void {
    for (const message of this.kept) if (message.window === window) message.acknowledged = true
    this.#release()
  }
  #release(): void {
    while (this.kept[0]?.acknowledged) this.kept.shift()
  }
}

type Step =
  | { readonly do: 'push'; readonly bytes: number }
  | { readonly do: 'end' | 'next' | 'rewind' }
  | { readonly do: 'acknowledge'; readonly back: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rewind' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('acknowledge' as const), back: fc.integer({ min: 0, max: 6 }) }),
  },
)

t.test(
  'whatever happens, the queue is what the plainest queue would be, and no torn window is ended',
  async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 300 }),
        fc.array(step, { maxLength: 150, size: 'max' }),
        (maxBytes, steps) => {
          const queue = new Queue(maxBytes, run)
          const reference = new Reference(maxBytes)
          const all: { window: number; last: boolean }[] = []
          let window = 0
          let connection = new Set<number>()
          /** Whose end was sent: these can be acknowledged. */
          const ended: number[] = []
          const push = (bytes: number, last: boolean) => {
            const name = all.push({ window, last }) - 1
            const frame = Buffer.alloc(bytes + 4)
            frame.writeUInt32LE(name)
            queue.push({ window, sequence: name, frames: [frame], lost: {}, rows: 1, isEnd: last })
            reference.push({ window, name, bytes: frame.length, sent: false, acknowledged: false })
            if (last) window++
          }
          for (const step of steps) {
            if (step.do === 'push') push(step.bytes, false)
            else if (step.do === 'end') push(1, true)
            else if (step.do === 'next') {
              const name = queue.next()?.frames[0]?.readUInt32LE()
              if (name !== reference.next()) throw new Error(`${name} was sent`)
              if (name === undefined) continue
              connection.add(name)
              const { window, last } = all[name]!
              if (last && all.some((message, name) => message.window === window && !connection.has(name)))
                throw new Error(`window ${window} was ended without all of it`)
              if (last) ended.push(window)
            } else if (step.do === 'rewind') {
              queue.rewind()
              reference.rewind()
              connection = new Set()
            } else if (step.do === 'acknowledge') {
              const window = ended.at(-1 - step.back)
              if (window === undefined) continue
              queue.acknowledge({ ...run, window })
              reference.acknowledge(window)
            }
            if (queue.bytes > maxBytes && queue.length > 1) throw new Error('beyond its bound')
            if (queue.bytes !== reference.bytes || queue.length !== reference.kept.length)
              throw new Error('bytes')
            if (queue.dropped !== reference.gone.length) throw new Error('dropped is not what was dropped')
          }
        },
      ),
      { numRuns: 1000 },
    )
  },
)

t.test('windows of another run are not those of this one', async t => {
  const queue = filled(1000, 0, 1)
  sent(queue)
  for (const other of [{ probe: 'q' }, { boot: 'c' }]) queue.acknowledge({ ...run, ...other, window: 0 })
  t.equal(queue.length, 2)
  queue.acknowledge({ ...run, window: 0 })
  t.equal(queue.length, 1)
})

t.test('another bound counts from the next message on', async t => {
  const queue = filled(1000, 0, 1, 2, 3)
  queue.maxBytes = 20
  t.same([queue.length, queue.dropped], [4, 0])
  queue.push(message(4))
  t.same([queue.length, queue.dropped], [2, 3])
  queue.maxBytes = 1000
  queue.push(message(5))
  t.same(sent(queue), [3, 4, 5])
})
