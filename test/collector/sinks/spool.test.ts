/** A queue with a spool: what is not stored soon goes to disk, and comes back. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Batch } from '../../../collector/batch.ts'
import { SinkQueue } from '../../../collector/sinks/queue.ts'
import type { Sink, Trouble } from '../../../collector/sinks/sink.ts'
import { temporary } from '../../harness/embedded.ts'
import { batch, sample } from '../../harness/samples.ts'
import { until } from '../../harness/until.ts'

t.jobs = 8

const MB = 2 ** 20
const DAY_MS = 86_400_000

/** A database that takes several batches at once, and does what the test says. */
class Database implements Sink {
  readonly name = 'influxdb'
  readonly windows: string[] = []
  isAway = false
  fails: (batch: Batch) => Trouble | undefined = () => undefined
  write(batch: Batch): Promise<void> {
    return this.writeAll([batch])
  }
  async writeAll(batches: readonly Batch[]): Promise<void> {
    if (this.isAway) throw new Error('away')
    for (const batch of batches) {
      const trouble = this.fails(batch)
      if (trouble) throw Object.assign(new Error('not this one'), trouble)
    }
    this.windows.push(...batches.map(({ id }) => `${id.host} ${id.window}`))
  }
  async close(): Promise<void> {}
}

interface Options {
  maxSamples?: number
  maxBytes?: number
  maxAgeMs?: number
}

function open(t: Test, directory: string, { maxSamples = 100_000, ...bounds }: Options = {}) {
  const lines: { msg: string; reason: string }[] = []
  const lost: Record<string, number> = {}
  const sink = new Database()
  const queue = new SinkQueue(sink, {
    maxSamples,
    gatherMs: 1,
    spool: { directory, maxBytes: 64 * MB, maxAgeMs: DAY_MS, ...bounds },
    evicted: (host, reason, samples) => {
      lost[`${host} ${reason}`] = (lost[`${host} ${reason}`] ?? 0) + samples
    },
    log: pino({}, { write: line => lines.push(JSON.parse(line)) }),
    sleep: (ms, signal) =>
      new Promise(resolve => {
        const timer = setTimeout(resolve, Math.min(ms, 20))
        signal.addEventListener('abort', () => resolve(clearTimeout(timer)))
      }),
  })
  t.teardown(() => queue.close({ deadlineMs: 0 }))
  return { queue, sink, lines, lost }
}

const of = (host: string, window: number, samples = 10): Batch => {
  const { id, ...rest } = batch(
    window,
    Array.from({ length: samples }, (_, at) => sample([at, window])),
  )
  return { ...rest, id: { ...id, host } }
}

function push(queue: SinkQueue, batches: readonly Batch[]) {
  const answers: boolean[] = []
  for (const batch of batches) queue.push(batch, isKept => answers.push(isKept ?? true))
  return answers
}

/** produced = stored + refused + lost + waiting */
function balanced(t: Test, { account, waiting }: SinkQueue) {
  const { produced, stored, refused, lost } = account
  for (const unit of ['batches', 'samples'] as const) {
    const gone = Object.values(lost).reduce((sum, amount) => sum + amount[unit], 0)
    t.equal(produced[unit], stored[unit] + refused[unit] + gone + waiting[unit], `${unit} add up`)
  }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

t.test('while all is well the disk is not touched', async t => {
  const directory = join(await temporary(t), 'spool')
  const { queue, sink } = open(t, directory)
  await queue.open()
  const answers = push(
    queue,
    range(50).map(window => of('h', window)),
  )
  await until('all', () => sink.windows.length === 50)
  t.equal(answers.length, 50)
  t.match(queue.spool, { bytes: 0, batches: 0 })
  t.same(
    readdirSync(directory).flatMap(name => readdirSync(join(directory, name))),
    [],
  )
  balanced(t, queue)
})

t.test('what is not stored soon is on disk, acknowledged, and stored once when the sink is back', async t => {
  const { queue, sink } = open(t, await temporary(t))
  await queue.open()
  sink.isAway = true
  const given = range(40).flatMap(window => [of('a', window, 500), of('b', window, 500)])
  const answers = push(queue, given)
  await until('all are on disk', () => answers.length === 80 && queue.counters.waiting < 20_000)
  t.same(answers, new Array(80).fill(true))
  t.match(queue.spool, { batches: 80, samples: 40_000 })
  balanced(t, queue)
  sink.isAway = false
  push(queue, [of('fresh', 1)])
  await until('all', () => queue.waiting.batches === 0)
  t.same(sink.windows.toSorted(), [...given.map(({ id }) => `${id.host} ${id.window}`), 'fresh 1'].toSorted())
  const olds = sink.windows.filter(name => name.startsWith('a '))
  t.same(
    olds,
    range(40).map(window => `a ${window}`),
    'oldest first',
  )
  t.ok(sink.windows.indexOf('fresh 1') < 80, 'a fresh one in between')
  balanced(t, queue)
})

t.test('what waits at the end is kept for the next process', async t => {
  const directory = await temporary(t)
  const first = open(t, directory)
  await first.queue.open()
  first.sink.isAway = true
  const answers = push(
    first.queue,
    range(5).map(window => of('h', window)),
  )
  await first.queue.close({ deadlineMs: 10 })
  t.same(answers, new Array(5).fill(true), 'and acknowledged')
  const second = open(t, directory)
  await second.queue.open()
  t.same(second.queue.account.produced, { batches: 5, samples: 50 })
  await until('all', () => second.queue.waiting.batches === 0)
  t.same(
    second.sink.windows,
    range(5).map(window => `h ${window}`),
  )
  balanced(t, second.queue)
})

t.test('a poisoned host on disk holds up nobody else, and is dropped after its tries', async t => {
  const { queue, sink } = open(t, await temporary(t))
  await queue.open()
  sink.isAway = true
  const hosts = ['a', 'bad', 'b']
  push(
    queue,
    range(30).flatMap(window => hosts.map(host => of(host, window, 300))),
  )
  await until('all are on disk', () => queue.spool?.batches === 90 && queue.counters.waiting < 10_000)
  sink.fails = ({ id }) => (id.host === 'bad' ? { fault: 'batch', reason: 'panic' } : undefined)
  sink.isAway = false
  await until('the others', () => sink.windows.length === 60)
  t.equal(new Set(sink.windows).size, 60)
  push(queue, [of('c', 1)]) // others have to be stored meanwhile
  for (let window = 2; queue.waiting.batches > 0; window++) {
    push(queue, [of('c', window)])
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.match(queue.counters.refused, { panic: 9000 })
  t.match(queue.account.refused, { batches: 30, samples: 9000 })
  balanced(t, queue)
})

t.test('what may be the fault of the server is put back, and stored when it can be', async t => {
  const { queue, sink } = open(t, await temporary(t))
  await queue.open()
  sink.isAway = true
  push(
    queue,
    range(30).flatMap(window => ['a', 'bad'].map(host => of(host, window, 300))),
  )
  await until('all are on disk', () => queue.spool?.batches === 60 && queue.counters.waiting < 10_000)
  sink.fails = ({ id }) => (id.host === 'bad' ? { fault: 'unknown', reason: 'status_500' } : undefined)
  sink.isAway = false
  await until('the others', () => sink.windows.length === 30)
  t.equal(queue.waiting.batches, 30)
  t.same(queue.counters.refused, {})
  balanced(t, queue)
})

t.test('a spool that is full drops its oldest, for the host that they belonged to', async t => {
  const { queue, sink, lines, lost } = open(t, await temporary(t), { maxBytes: MB })
  await queue.open()
  sink.isAway = true
  for (const window of range(60)) {
    push(queue, [of('big', window, 1000), of('small', window, 10)])
    await until('it is on disk', () => queue.counters.waiting < 10_000)
  }
  await until(
    'all are on disk',
    () => queue.counters.waiting < 6000 && (queue.account.lost['spool_full']?.samples ?? 0) > 0,
  )
  balanced(t, queue)
  t.ok(queue.spool!.bytes <= MB, `${queue.spool!.bytes} bytes`)
  const { batches, samples } = queue.account.lost['spool_full']!
  t.ok(batches > 0 && samples > 0)
  t.equal((lost['big spool_full'] ?? 0) + (lost['small spool_full'] ?? 0), samples)
  t.match(
    lines.filter(({ reason }) => reason === 'spool_full'),
    [{ msg: /the spool is full \(1 MiB\).*dropped/ }],
  )
  sink.isAway = false
  await until('the rest', () => queue.waiting.batches === 0)
  t.equal(sink.windows.length, 120 - batches)
  balanced(t, queue)
})

t.test('a queue that is full without a disk drops, and does not say that it is stored', async t => {
  const { queue, sink, lines, lost } = open(t, '/proc/sockflux', { maxSamples: 100 })
  await queue.open()
  sink.isAway = true
  const answers = push(
    queue,
    range(20).map(window => of('h', window)),
  )
  t.same(answers, new Array(10).fill(false))
  t.same(lost, { 'h dropped': 100 })
  balanced(t, queue)
  t.match(
    lines.find(({ reason }) => reason === 'spool'),
    { msg: /\/proc\/sockflux.*kept in memory/ },
  )
  sink.isAway = false
  await until('the rest', () => queue.waiting.batches === 0)
  t.same(answers.slice(10), new Array(10).fill(true))
  balanced(t, queue)
})
