import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { needs } from '../../../harness/skip.ts'
import { smallDisk } from '../../../harness/small_disk.ts'
import { until } from '../../../harness/until.ts'
import { filesIn } from '../../../wire/spool/given.ts'
import { directory, ledgerIn, named, Receiver, Run } from './given.ts'

const spooled = (run: Run, windows: number) =>
  until(`${windows} windows in the spool`, () => run.publisher.figures().spool_windows === windows)
const none = { windows: 0, rows: 0 }

t.test('what a run has left is sent first by the next one, with its own names, once', async t => {
  const path = await directory(t)
  const receiver = new Receiver(path)
  const spool = join(path, 'spool')
  const first = await Run.start(spool, 'first', [receiver.endpoint])
  first.windows(7)
  await spooled(first, 7)
  t.equal(await first.publisher.close(0), '7 windows with 35 rows are kept in the spool for the next start')
  t.match(first.accounts, { produced: { windows: 7 }, waiting: { windows: 7 }, lost: { stopped: none } })
  const second = await Run.start(spool, 'second', [receiver.endpoint])
  second.windows(2)
  t.match(second.accounts, { produced: { windows: 9, rows: 45 }, waiting: { windows: 9, rows: 45 } })
  t.ok(second.publisher.figures().spool_bytes > 0)
  await receiver.open(t)
  await until('all of them', () => second.waiting === 0)
  t.same(receiver.ended, [...named('first', 7), ...named('second', 2)])
  t.equal(receiver.rows, 45)
  t.match(second.publisher.figures(), { spool_windows: 0, spool_bytes: 0, spool_seconds: 0 })
  t.equal(await second.publisher.close(0), undefined)
  t.same(filesIn(spool, '.seg'), [], 'nothing is left')
  t.match(ledgerIn(spool), {
    ...{ produced: { windows: 9, rows: 45 }, stored: { windows: 9, rows: 45 }, waiting: none },
    host: 'h',
    collector: receiver.endpoint,
  })
})

t.test('while all is well nothing is written but the ledger', async t => {
  const path = await directory(t)
  const receiver = new Receiver(path)
  await receiver.open(t)
  const spool = join(path, 'spool')
  const run = await Run.start(spool, 'p', [receiver.endpoint])
  await until('a connection', () => run.lines.some(({ msg }) => msg === 'connected'))
  for (let window = 1; window <= 5; window++) {
    run.windows(1)
    await until('the acknowledgement', () => run.waiting === 0)
  }
  t.same(
    filesIn(spool).map(name => name.replace(/.*\//, '')),
    ['ledger.json'],
  )
  await run.publisher.close(0)
})

t.test('a collector that does not answer: after a second its windows are on disk', async t => {
  const path = await directory(t)
  const receiver = new Receiver(path)
  receiver.answers = false
  await receiver.open(t)
  const run = await Run.start(join(path, 'spool'), 'p', [receiver.endpoint])
  await until('a connection', () => run.lines.some(({ msg }) => msg === 'connected'))
  run.windows(1)
  t.match(run.publisher.figures(), { spool_windows: 0 })
  await spooled(run, 1)
  run.windows(1)
  await spooled(run, 2)
  await run.publisher.close(0)
})

t.test('memory that is too small for an outage is not the end: the rest is on disk', async t => {
  const path = await directory(t)
  const receiver = new Receiver(path)
  const run = await Run.start(join(path, 'spool'), 'p', [receiver.endpoint], { queueBytes: 100_000 })
  for (let some = 0; some < 20; some++) {
    run.windows(2, 50)
    await spooled(run, 2 * (some + 1))
  }
  const { bytes } = run.publisher.stats()
  t.ok(bytes <= 100_000, `${bytes} bytes in memory`)
  t.ok(run.publisher.figures().spool_bytes > 3 * 100_000)
  await receiver.open(t)
  await until('all of them', () => run.waiting === 0, 20_000)
  t.same(receiver.ended, named('p', 40))
  t.match(run.accounts, { stored: { windows: 40, rows: 2000 }, lost: { full: none, spool_full: none } })
  await run.publisher.close(0)
})

t.test('a full spool drops its oldest windows, counts them, and says so once a minute', async t => {
  const path = await directory(t)
  const receiver = new Receiver(path)
  const options = { queueBytes: 100_000, bytes: 2 ** 20 }
  const run = await Run.start(join(path, 'spool'), 'p', [receiver.endpoint], options)
  for (let window = 0; window < 100; window++) {
    run.windows(1, 100)
    await until('a place on disk', () => run.publisher.stats().bytes <= 60_000)
  }
  const { lost, waiting } = run.accounts
  t.ok(lost.spool_full.windows > 20, `${lost.spool_full.windows} windows are lost`)
  t.equal(lost.spool_full.rows, 100 * lost.spool_full.windows)
  t.equal(lost.spool_full.windows + waiting.windows, 100)
  t.ok(run.publisher.figures().spool_bytes <= 2 ** 20)
  t.match(run.said('spool_size'), [
    /^the oldest windows in the spool are lost; start the collector, or raise --spool-size/,
  ])
  await receiver.open(t)
  await until('all that is left', () => run.waiting === 0, 20_000)
  t.same(receiver.ended, named('p', waiting.windows, lost.spool_full.windows))
  await run.publisher.close(0)
})

t.test(
  'a disk without space: memory as before, and the disk again when it has some',
  { skip: needs('root') },
  async t => {
    const disk = await smallDisk(t, '200k')
    const receiver = new Receiver(await directory(t))
    const run = await Run.start(join(disk.path, 'spool'), 'p', [receiver.endpoint])
    for (let window = 0; window < 20; window++) {
      run.windows(1, 50)
      await until(
        'an end of writing',
        () => run.publisher.figures().spool_windows === window + 1 || run.said('spool').length > 0,
      )
    }
    const there = run.publisher.figures().spool_windows
    t.ok(there > 3 && there < 20, `${there} windows fit`)
    t.match(run.said('spool'), [
      /^cannot write to the spool \S+ \(ENOSPC.*\): free space on its disk; windows wait in memory/,
    ])
    t.match(run.accounts, { waiting: { windows: 20 }, lost: { full: none } })
    disk.remount('size=4m')
    await spooled(run, 20)
    await receiver.open(t)
    await until('all of them', () => run.waiting === 0, 20_000)
    t.same(receiver.ended, named('p', 20))
    await run.publisher.close(0)
  },
)

t.test('a spool that is removed while it is used: what is in memory is written again', async t => {
  const path = await directory(t)
  const spool = join(path, 'spool')
  const run = await Run.start(spool, 'p', [`ipc://${path}/nobody`])
  run.windows(5)
  await spooled(run, 5)
  await rm(spool, { recursive: true })
  run.windows(1)
  await spooled(run, 6)
  await run.publisher.close(0)
  const next = await Run.start(spool, 'q', [`ipc://${path}/nobody`])
  t.match(next.accounts, { waiting: { windows: 6, rows: 30 }, lost: { spool_damaged: none } })
  await next.publisher.close(0)
})

t.test('a spool that cannot be made is said, and made when it can be', async t => {
  const path = await directory(t)
  const spool = join(path, 'spool')
  writeFileSync(spool, 'a file in its place')
  const run = await Run.start(spool, 'p', [`ipc://${path}/nobody`])
  run.windows(2)
  t.match(run.said('spool'), [
    /^cannot use the spool \S+ \(ENOTDIR.*\): name a directory; windows wait in memory/,
  ])
  await rm(spool)
  await spooled(run, 2)
  await run.publisher.close(0)
})

t.test('after a kill: what was on disk is sent, what was in memory is counted', async t => {
  const path = await directory(t)
  const [spool, dead] = [join(path, 'spool'), join(path, 'dead')]
  const run = await Run.start(spool, 'p', [`ipc://${path}/nobody`])
  run.windows(4)
  await spooled(run, 4)
  await until('the ledger', () => ledgerIn(spool).waiting.windows === 4)
  // as a kill leaves it: the ledger has a window that the spool has not
  await cp(spool, dead, { recursive: true, filter: name => !name.endsWith('owner') })
  const [ledger = ''] = filesIn(dead, 'ledger.json')
  const text = JSON.parse(readFileSync(ledger, 'utf8'))
  for (const account of [text.produced, text.waiting]) {
    account.windows += 1
    account.rows += 7
  }
  writeFileSync(ledger, JSON.stringify(text))
  await run.publisher.close(0)
  const next = await Run.start(dead, 'q', [`ipc://${path}/nobody`])
  t.match(next.accounts, { waiting: { windows: 4, rows: 20 }, lost: { killed: { windows: 1, rows: 7 } } })
  t.match(next.publisher.losses(), { 'queue/killed': 7, 'queue/killed_windows': 1 })
  await next.publisher.close(0)
  t.match(ledgerIn(dead), {
    produced: { windows: 5, rows: 27 },
    waiting: { windows: 4 },
    lost: { killed: { windows: 1 } },
  })
})

t.test('a power cut takes one window at most, and it is counted', async t => {
  const path = await directory(t)
  const spool = join(path, 'spool')
  const run = await Run.start(spool, 'p', [`ipc://${path}/nobody`])
  for (let window = 1; window <= 4; window++) {
    run.windows(1)
    await spooled(run, window)
  }
  await run.publisher.close(0)
  const [segment = ''] = filesIn(spool, '.seg')
  const content = readFileSync(segment)
  const tails: readonly (readonly [string, (file: string) => void])[] = [
    ['cut', file => truncateSync(file, content.length - 100)],
    ['cut in its header', file => truncateSync(file, content.lastIndexOf(content.subarray(0, 8)) + 30)],
    ['zeros', file => writeFileSync(file, Buffer.concat([content.subarray(0, -500), Buffer.alloc(500)]))],
    [
      'scrambled',
      file => writeFileSync(file, Buffer.concat([content.subarray(0, -300), Buffer.alloc(300, 0x5a)])),
    ],
  ]
  for (const [what, damage] of tails) {
    const copy = join(path, what)
    await cp(spool, copy, { recursive: true })
    damage(join(copy, segment.slice(spool.length)))
    const next = await Run.start(copy, 'q', [`ipc://${path}/nobody`])
    const { produced, waiting, lost } = next.accounts
    t.equal(waiting.windows, 3, what)
    const all = Object.values(lost).reduce((sum, { windows }) => sum + windows, 0)
    t.equal(all, 1, `${what}: ${JSON.stringify(lost)}`)
    t.match(produced, { windows: 4, rows: 20 })
    await next.publisher.close(0)
  }
})

t.test('windows under another host name are not sent in the name of this one', async t => {
  const path = await directory(t)
  const spool = join(path, 'spool')
  const run = await Run.start(spool, 'p', [`ipc://${path}/nobody`])
  run.windows(2)
  await spooled(run, 2)
  await run.publisher.close(0)
  const next = await Run.start(spool, 'q', [`ipc://${path}/nobody`], { host: 'renamed' })
  t.match(next.accounts, { waiting: none, lost: { renamed: { windows: 2, rows: 10 } } })
  await next.publisher.close(0)
})

t.test('each collector has its own spool; one for all when one of them gets each window', async t => {
  const path = await directory(t)
  const [a, b] = [new Receiver(await directory(t)), new Receiver(await directory(t))]
  const spool = join(path, 'spool')
  const run = await Run.start(spool, 'p', [a.endpoint, b.endpoint])
  await a.open(t)
  run.windows(3)
  await until('all at the first', () => a.ended.length === 3 && run.waiting === 3)
  await run.publisher.close(0)
  const next = await Run.start(spool, 'q', [a.endpoint, b.endpoint])
  await b.open(t)
  await until('all at the second', () => next.waiting === 0)
  t.same([a.ended, b.ended], [named('p', 3), named('p', 3)], 'each gets each window once')
  await next.publisher.close(0)
  const one = await Run.start(spool, 'r', [a.endpoint, b.endpoint], { sendTo: 'one' })
  one.windows(3)
  await until('all at one', () => one.waiting === 0)
  await one.publisher.close(0)
  t.equal(a.ended.length + b.ended.length, 9)
})
