import { join } from 'node:path'
import t from 'tap'
import { start } from '../../harness/process.ts'
import { needs } from '../../harness/skip.ts'
import { smallDisk } from '../../harness/small_disk.ts'
import { directory, numberOf, opened, readAll, windowItem } from './given.ts'

const root = { skip: needs('root') }

t.test('a full disk: it is said, nothing that was written is harmed, and it goes on', root, async t => {
  const disk = await smallDisk(t, '1m')
  const path = join(disk.path, 'spool')
  const { spool } = await opened(path, { maxBytes: 2 ** 30 })
  let number = 0
  const full = await (async () => {
    for (;;) {
      await spool.append([windowItem(number + 1, 50_000)])
      number++
    }
  })().catch((error: Error) => error)
  t.match(full.message, /^cannot write to the spool \S+ \(ENOSPC: no space left on device\): free space/)
  t.ok(number > 10)
  await t.rejects(spool.append([windowItem(99, 50_000)]), /ENOSPC/)
  t.match(spool.stats, { records: number, windows: number, failures: 2 })
  t.same(
    (await readAll(spool)).map(numberOf),
    Array.from({ length: number }, (_, index) => index + 1),
  )
  disk.remount('size=4m')
  await spool.append([windowItem(number + 1, 50_000)])
  await spool.close()
  const next = await opened(path, { maxBytes: 2 ** 30 })
  t.same(
    next.found.map(numberOf),
    Array.from({ length: number + 1 }, (_, index) => index + 1),
  )
  t.match(next.spool.losses.damaged, { records: 0 }, 'what was not written is not missed')
  await next.spool.close()
})

t.test('a file system that becomes read only', root, async t => {
  const disk = await smallDisk(t, '1m')
  const path = join(disk.path, 'spool')
  const first = await opened(path)
  await first.spool.append([windowItem(1)])
  await first.spool.close()
  disk.remount('ro')
  await t.rejects(opened(path), /cannot use the spool \S+ \(EROFS.*\): mount its file system for writing/)
  disk.remount('rw')
  const next = await opened(path)
  t.same(next.found.map(numberOf), [1])
  await next.spool.close()
})

t.test('killed at any moment: what it said is on disk is there, in order, once', async t => {
  const path = await directory(t)
  let last = 0
  for (let round = 0; round < 8; round++) {
    const writer = start([process.execPath, join(import.meta.dirname, '../../harness/spool_writer.ts'), path])
    t.teardown(() => writer.close())
    const some = Math.floor(Math.random() * 20) + 1
    for (let line = 0; line < some; line++) last = Number(await writer.line(/^\d+$/))
    await writer.kill('SIGKILL')
  }
  const { spool, found } = await opened(path, { maxBytes: 2 ** 26 })
  const numbers = (await readAll(spool)).map(numberOf)
  const { damaged } = spool.losses
  t.same(found.map(numberOf), numbers)
  t.same(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => index + 1),
    'without a gap',
  )
  t.ok(numbers.length >= last, `${numbers.length} of at least ${last}`)
  t.ok(damaged.windows <= 8, 'and no more than one window of each run was being written')
  await spool.close()
})
