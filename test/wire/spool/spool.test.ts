import { existsSync, readdirSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { directory, filesIn, numberOf, opened, readAll, windowItem } from './given.ts'

const items = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => windowItem(first + index))

t.test('what was appended is read as it was, oldest first', async t => {
  const { spool } = await opened(await directory(t))
  const serials = [...(await spool.append(items(1, 3))), ...(await spool.append(items(4, 4)))]
  const records = await readAll(spool)
  t.same(
    records.map(({ serial }) => serial),
    serials,
  )
  for (const [index, record] of records.entries()) {
    const { head, frames, windows, rows } = windowItem(index + 1)
    t.match(record, { head, windows, rows })
    t.ok(
      record.frames.length === frames.length && record.frames.every((frame, at) => frame.equals(frames[at]!)),
    )
  }
  t.match(spool.stats, { records: 4, windows: 4, rows: 100, failures: 0 })
  await spool.close()
})

t.test('what waits at the end is there for the next run, what was released is not', async t => {
  const path = await directory(t)
  const first = await opened(path)
  const serials = await first.spool.append(items(1, 5))
  first.spool.release(serials.slice(0, 2))
  await first.spool.close()
  const second = await opened(path)
  t.same(second.found.map(numberOf), [3, 4, 5])
  t.match(second.spool.stats, { records: 3, windows: 3, rows: 120 })
  await second.spool.append(items(6, 6))
  await second.spool.close()
  const third = await opened(path)
  t.same(third.found.map(numberOf), [3, 4, 5, 6], 'of both runs, in their order')
  t.same((await readAll(third.spool)).map(numberOf), [3, 4, 5, 6])
  third.spool.release(third.found.map(({ serial }) => serial))
  await third.spool.close()
  t.same(readdirSync(path), [], 'and when nothing waits, nothing is left')
})

t.test('released out of order, only what waits is there', async t => {
  const { spool } = await opened(await directory(t))
  const [a, b, c] = (await spool.append(items(1, 3))) as [number, number, number]
  spool.release([b])
  t.equal(spool.oldest, a)
  t.equal(spool.after(a), c)
  t.equal(await spool.read(b), undefined)
  spool.release([a, b])
  t.equal(spool.oldest, c)
  t.match(spool.stats, { records: 1, windows: 1, rows: 30 })
  await spool.close()
})

t.test('no file is made before something waits, and all are for their owner alone', async t => {
  const path = join(await directory(t), 'deep', 'spool')
  const { spool } = await opened(path)
  t.same(readdirSync(path), [])
  await spool.append(items(1, 1))
  const [run = ''] = readdirSync(path)
  const [segment = ''] = filesIn(path, '.seg')
  t.same(
    [path, join(path, run), segment].map(name => statSync(name).mode & 0o777),
    [0o700, 0o700, 0o600],
  )
  await spool.close()
})

t.test('beyond its size the oldest go first, and are counted', async t => {
  const path = await directory(t)
  const { spool, dropped } = await opened(path, { maxBytes: 100_000 })
  for (let number = 1; number <= 40; number++) await spool.append([windowItem(number, 5000)])
  const { bytes, records, windows } = spool.stats
  t.ok(bytes <= 100_000 && bytes > 80_000, `${bytes} bytes`)
  const left = (await readAll(spool)).map(numberOf)
  t.same(
    left,
    Array.from({ length: windows }, (_, index) => 41 - windows + index),
  )
  const gone = Array.from({ length: 40 - windows }, (_, index) => index + 1)
  const rows = gone.reduce((sum, number) => sum + 10 * number, 0)
  t.same(spool.losses.size, { records: 40 - records, windows: 40 - windows, rows })
  t.equal(dropped.flatMap(([serials]) => serials).length, gone.length)
  t.ok(dropped.every(([, reason]) => reason === 'size'))
  await t.rejects(spool.append([windowItem(41, 200_000)]), /are more than the 100000/)
  t.equal(spool.stats.records, records, 'what can never fit pushes nothing out')
  await spool.close()
  const next = await opened(path, { maxBytes: 50_000 })
  t.ok(next.spool.stats.bytes <= 50_000, 'a smaller size counts from the start')
  t.same((await readAll(next.spool)).map(numberOf).at(-1), 40)
  t.match(next.spool.losses.damaged, { records: 0 }, 'and what the run before dropped is not missed')
  await next.spool.close()
})

t.test('what is too old is dropped, and counted', async t => {
  let now = 1_000_000
  const { spool } = await opened(await directory(t), { maxAgeMs: 32_000, steady: () => now })
  for (let number = 1; number <= 10; number++) {
    await spool.append([windowItem(number)])
    now += 1000
  }
  now += 27_500
  spool.expire()
  t.same((await readAll(spool)).map(numberOf), [7, 8, 9, 10], 'those of the last 32 seconds')
  t.match(spool.losses.age, { records: 6, windows: 6, rows: 210 })
  await spool.close()
})

t.test('a clock that is set drops nothing, and keeps nothing for longer', async t => {
  const path = await directory(t)
  const start = Date.now()
  let [wall, steady] = [start, 0]
  const clocks = { maxAgeMs: 32_000, now: () => wall, steady: () => steady }
  const first = await opened(path, clocks)
  for (const year of [0, 20, -30]) {
    wall = start + year * 365 * 86_400_000
    steady += 10_000
    await first.spool.append([windowItem(100 + year)])
    first.spool.expire()
  }
  t.same((await readAll(first.spool)).map(numberOf), [100, 120, 70], 'whatever the clock says')
  steady += 25_000
  first.spool.expire()
  t.same((await readAll(first.spool)).map(numberOf), [70], 'by the time that has passed')
  await first.spool.append([windowItem(1)])
  await first.spool.close()
  wall = start - 50 * 365 * 86_400_000
  const next = await opened(path, clocks)
  t.same(
    next.found.map(numberOf),
    [70, 1],
    'a clock that was not set yet: they are from its future, and stay',
  )
  steady += 33_000
  next.spool.expire()
  t.equal(next.spool.stats.records, 0)
  await next.spool.close()
})

t.test('a spool that another process uses is shared: each has its own run', async t => {
  const path = await directory(t)
  const first = await opened(path)
  await first.spool.append(items(1, 2))
  const second = await opened(path)
  t.same(second.found, [], 'what the other holds is not ours')
  await second.spool.append(items(3, 3))
  t.same((await readAll(first.spool)).map(numberOf), [1, 2])
  t.same((await readAll(second.spool)).map(numberOf), [3])
  await first.spool.close()
  const third = await opened(path)
  t.same(third.found.map(numberOf), [1, 2], 'until it has ended')
  await second.spool.close()
  await third.spool.close()
})

t.test('a directory that is removed while it is used', async t => {
  const path = await directory(t)
  const { spool, dropped } = await opened(path)
  await spool.append(items(1, 3))
  await rm(path, { recursive: true })
  const [serial] = await spool.append(items(4, 4))
  t.match(spool.losses.damaged, { records: 3, windows: 3, rows: 60 }, 'what was in it is lost')
  t.same(dropped, [[[0, 1, 2], 'damaged']])
  t.equal(spool.oldest, serial)
  t.same((await readAll(spool)).map(numberOf), [4], 'and it goes on in a new one')
  await rename(path, `${path}-elsewhere`)
  t.equal(await spool.read(serial!), undefined)
  t.equal(spool.oldest, undefined)
  await spool.append(items(5, 5))
  t.ok(existsSync(path))
  await rm(`${path}-elsewhere`, { recursive: true })
  await spool.close()
})

t.test('what cannot be a spool says what, where and the remedy', async t => {
  await t.rejects(opened('/proc/spool'), /cannot use the spool \/proc\/spool \(ENOENT/)
  await t.rejects(
    opened('/etc/passwd/spool'),
    /cannot use the spool \/etc\/passwd\/spool \(ENOTDIR.*\): name a directory/,
  )
})
