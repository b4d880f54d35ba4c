import fc from 'fast-check'
import t from 'tap'
import type { Accounts } from '../../../../probe/publish/ledger.ts'
import { Queue } from '../../../../probe/publish/queue.ts'

const run = { host: 'h', boot: 'b', probe: 'p' }

/** A queue and a disk that takes what it is given. */
class Stage {
  readonly queue: Queue
  /** By serial. */
  readonly disk = new Map<number, Buffer[]>()
  #serial = 0
  #sequence = 0
  window = 0

  constructor(maxBytes: number) {
    this.queue = new Queue(maxBytes, run)
    this.queue.unspool = serials => {
      for (const serial of serials) this.disk.delete(serial)
    }
  }

  push(bytes: number, isEnd: boolean): void {
    const frame = Buffer.alloc(bytes + 4)
    frame.writeUInt32LE(this.#sequence)
    const { window } = this
    this.queue.push({ window, sequence: this.#sequence++, frames: [frame], rows: 1, isEnd, lost: {} })
    if (isEnd) this.window++
  }

  spool(all: boolean): void {
    const entries = this.queue.unspooled(all)
    const serials = entries.map(({ frames }) => {
      this.disk.set(this.#serial, frames!)
      return this.#serial++
    })
    this.queue.spooled(entries, serials)
    this.queue.relieve()
  }

  /** Its sequence is what was written into its frame. */
  next() {
    for (;;) {
      const message = this.queue.next()
      if (message) {
        if (message.frames[0]!.readUInt32LE() !== message.sequence)
          throw new Error('frames of another message')
        return message
      }
      const { missing } = this.queue
      if (missing === undefined) return undefined
      this.queue.give(missing, this.disk.get(missing)!)
    }
  }

  lose(serials: readonly number[]): void {
    for (const serial of serials) this.disk.delete(serial)
    this.queue.lose(serials, 'spool_full')
  }
}

const windowsOf = (stage: Stage): number[] => {
  const windows: number[] = []
  for (let next = stage.next(); next; next = stage.next()) windows.push(next.window)
  return windows
}

function checkAccounts({ produced, stored, lost, waiting }: Accounts): void {
  for (const what of ['windows', 'rows'] as const) {
    const parts = [stored, waiting, ...Object.values(lost)].reduce((sum, amount) => sum + amount[what], 0)
    if (parts !== produced[what]) throw new Error(JSON.stringify({ produced, stored, lost, waiting }))
  }
}

t.test('what is on disk leaves memory, and is sent all the same', async t => {
  const stage = new Stage(100)
  for (let window = 0; window < 10; window++) {
    stage.push(20, false)
    stage.push(20, true)
    stage.spool(false)
  }
  t.ok(stage.queue.bytes <= 100, `${stage.queue.bytes} bytes in memory`)
  t.equal(stage.queue.length, 20)
  t.same(windowsOf(stage), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9])
  stage.queue.rewind()
  t.match(stage.next(), { window: 0 }, 'and once more on another connection')
  for (let window = 0; window < 10; window++) stage.queue.acknowledge({ ...run, window })
  t.equal(stage.disk.size, 0, 'what is acknowledged need not be there')
  t.match(stage.queue, { length: 0, bytes: 0 })
})

t.test('a window larger than memory goes through the disk in parts', async t => {
  const stage = new Stage(200)
  for (let part = 0; part < 20; part++) {
    stage.push(40, part === 19)
    if (stage.queue.bytes > 100) stage.spool(true)
  }
  t.equal(windowsOf(stage).length, 20)
  t.equal(stage.queue.dropped, 0)
})

t.test('what the disk loses is lost; what is in memory as well goes to it once more', async t => {
  const stage = new Stage(1000)
  for (let window = 0; window < 3; window++) stage.push(20, true)
  stage.spool(false)
  stage.lose([0, 1])
  t.equal(stage.disk.size, 0, 'what is left is written again behind it')
  stage.spool(false)
  t.same([...stage.disk.keys()], [3, 4, 5])
  t.same(windowsOf(stage), [0, 1, 2])
  for (let window = 3; window < 60; window++) stage.push(20, true)
  stage.spool(false)
  t.ok(stage.queue.bytes < 1000)
  stage.queue.rewind()
  stage.lose([3])
  t.same(windowsOf(stage)[0], 1, 'window 0 was on disk alone')
  t.match(stage.queue.ledger.accounts.lost.spool_full, { windows: 0 }, 'and may be acknowledged yet')
  stage.queue.acknowledge({ ...run, window: 4 })
  t.match(stage.queue.ledger.accounts.lost.spool_full, { windows: 1, rows: 1 })
})

t.test('windows of runs before come first, with the names of their run', async t => {
  const queue = new Queue(1000, run)
  const [older, old] = [
    { ...run, probe: 'x' },
    { ...run, probe: 'y' },
  ]
  queue.runs.place([
    { identity: older, first: 7, last: 8 },
    { identity: old, first: 3, last: 3 },
  ])
  const left = (window: number, sequence: number, serial: number) => ({
    ...{ window, sequence, serial, rows: 1, isEnd: true, lost: { 'kernel/slot': serial } },
  })
  queue.load([left(-3, 70, 0), left(-2, 71, 1), left(-1, 30, 2)])
  const released: number[] = []
  queue.unspool = serials => released.push(...serials)
  t.match(queue.settled, { ...older, window: 7, sequence: 70 })
  queue.push({ window: 0, sequence: 0, frames: [Buffer.alloc(1)], rows: 1, isEnd: true, lost: {} })
  for (const serial of [0, 1, 2]) {
    t.equal(queue.missing, serial)
    queue.give(serial, [Buffer.alloc(1)])
    queue.next()
  }
  t.match(queue.next(), { window: 0 })
  queue.acknowledge({ ...older, window: 7 })
  t.match(queue.settled, { ...older, window: 8, sequence: 71, lost: { 'kernel/slot': 0 } })
  for (const window of [6, 9, 10]) queue.acknowledge({ ...older, window })
  t.equal(queue.length, 3, 'numbers that this run never had are nobody else’s')
  queue.acknowledge({ ...older, window: 8 })
  t.match(queue.settled, { ...old, window: 3, sequence: 30 }, 'the next one is of the next run')
  queue.acknowledge({ ...old, window: 3 })
  queue.acknowledge({ ...run, window: 0 })
  t.same(released, [0, 1, 2])
  t.match(queue.settled, { ...run, window: 1, sequence: 1 })
  t.match(queue.ledger.accounts, {
    produced: { windows: 4 },
    stored: { windows: 4 },
    waiting: { windows: 0 },
  })
})

t.test('what is whole on disk when the probe ends is kept, the rest is lost', async t => {
  const stage = new Stage(1000)
  stage.push(10, true)
  stage.push(10, false)
  stage.spool(true)
  stage.push(10, true)
  stage.push(10, true)
  stage.queue.stop()
  const { accounts } = stage.queue.ledger
  t.match(accounts, { waiting: { windows: 1, rows: 1 }, lost: { stopped: { windows: 2, rows: 3 } } })
  checkAccounts(accounts)
})

type Step =
  | { readonly do: 'push'; readonly bytes: number }
  | { readonly do: 'end' | 'next' | 'rewind' | 'spool' | 'spool_all' }
  | { readonly do: 'acknowledge' | 'lose'; readonly which: number }
const plain = (weight: number, action: 'end' | 'next' | 'rewind' | 'spool' | 'spool_all') => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(action) }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 60 }) }),
  },
  plain(3, 'end'),
  plain(6, 'next'),
  plain(1, 'rewind'),
  plain(2, 'spool'),
  plain(1, 'spool_all'),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), which: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), which: fc.nat({ max: 5 }) }) },
)

t.test('whatever happens: in order, whole, bounded, and everything is accounted for', async t => {
  let lost = 0
  const result = fc.check(
    fc.property(
      fc.integer({ min: 60, max: 400 }),
      fc.array(step, { maxLength: 150, size: 'max' }),
      (maxBytes, steps) => {
        const stage = new Stage(maxBytes)
        const { queue } = stage
        /** By window: how many messages it has. */
        const messages: number[] = []
        let sent: { window: number; sequence: number }[] = []
        const ended: number[] = []
        const send = () => {
          const message = stage.next()
          if (!message) return false
          const { window, sequence, isEnd } = message
          if (sequence <= (sent.at(-1)?.sequence ?? -1)) throw new Error('out of order')
          sent.push({ window, sequence })
          if (isEnd && sent.filter(one => one.window === window).length !== messages[window])
            throw new Error(`window ${window} was ended without all of it`)
          if (isEnd) ended.push(window)
          return true
        }
        const push = (bytes: number, isEnd: boolean) => {
          messages[stage.window] = (messages[stage.window] ?? 0) + 1
          stage.push(bytes, isEnd)
        }
        for (const step of steps) {
          if (step.do === 'push') push(step.bytes, false)
          else if (step.do === 'end') push(1, true)
          else if (step.do === 'next') send()
          else if (step.do === 'spool') stage.spool(false)
          else if (step.do === 'spool_all') stage.spool(true)
          else if (step.do === 'rewind') {
            queue.rewind()
            sent = []
          } else if (step.do === 'acknowledge') {
            const window = ended.at(-1 - step.which)
            if (window !== undefined) queue.acknowledge({ ...run, window })
          } else if (step.do === 'lose') stage.lose([...stage.disk.keys()].slice(step.which, step.which + 2))
          if (queue.bytes > maxBytes + 64 && queue.length > 1) throw new Error(`${queue.bytes} bytes`)
          checkAccounts(queue.ledger.accounts)
        }
        push(1, true)
        queue.rewind()
        sent = []
        while (send());
        for (const window of ended) queue.acknowledge({ ...run, window })
        const { accounts } = queue.ledger
        checkAccounts(accounts)
        if (queue.length > 0 || stage.disk.size > 0)
          throw new Error(`${queue.length} wait, ${stage.disk.size} on disk`)
        lost += accounts.lost.spool_full.windows
      },
    ),
    { numRuns: 1000 },
  )
  t.notOk(result.failed, `${fc.defaultReportMessage(result)} ${result.errorInstance}`)
  t.ok(lost > 0, `${lost} windows were lost with the disk`)
})
