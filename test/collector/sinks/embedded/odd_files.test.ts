import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample, start } from '../../../harness/samples.ts'

const count = 'SELECT count(*) FROM "container:num_flows"'
const DAY = '2026-01-02.duckdb'
const fifo = (path: string) => void execFileSync('mkfifo', [path])

/** What another program may put in a file's place, and what the log calls it. */
const odd: Readonly<Record<string, [kind: string, put: (path: string, t: Test) => unknown]>> = {
  FIFO: ['a FIFO', fifo],
  directory: ['a directory', path => mkdirSync(path)],
  socket: [
    'a socket',
    async (path, t) => {
      const server = createServer()
      t.teardown(() => server.close())
      await new Promise<void>(resolve => void server.listen(path, resolve))
    },
  ],
  'link to a text': [
    'a symbolic link',
    path => {
      writeFileSync(`${path}.text`, 'no database', { mode: 0o644 })
      symlinkSync(`${path}.text`, path)
    },
  ],
  'link to nothing': ['a symbolic link', path => symlinkSync(`${path}.nowhere`, path)],
  'link to a device': ['a symbolic link', path => symlinkSync('/dev/zero', path)],
  'link to itself': ['a symbolic link', path => symlinkSync(path, path)],
}

for (const [what, [kind, put]] of Object.entries(odd)) {
  t.test(`a ${what} in place of the open day is renamed, and the day begins again`, async t => {
    const directory = await temporary(t)
    const lines: string[] = []
    const sink = await openStore(t, directory, { lines })
    await sink.write(batch(0, [sample([1, 2])]))
    const path = join(directory, DAY)
    rmSync(path)
    await put(path, t)
    const loan = await sink.lend()
    t.same(loan.files, [], 'a query does not wait for it')
    loan.release()
    await sink.write(batch(1, [sample([1, 2])]))
    t.match(lines, [
      /was removed or replaced/,
      `${path} is ${kind} and no file; it was renamed to ${path}.damaged-`,
    ])
    t.equal(lines.length, 2)
    t.match(sink.counters, { damagedDays: 1, reopened: 1 })
    t.ok(lstatSync(path).isFile())
    const aside = readdirSync(directory).filter(name => name.startsWith(`${DAY}.damaged-`))
    t.equal(aside.length, 1)
    t.notOk(lstatSync(join(directory, aside[0]!)).isFile(), 'itself, not what it leads to')
    t.same(await rows(sink, count), [['1']])
    if (what === 'link to a text') {
      t.equal(readFileSync(`${path}.text`, 'utf8'), 'no database')
      t.equal(lstatSync(`${path}.text`).mode & 0o777, 0o644)
    }
    if (what === 'link to nothing') t.throws(() => lstatSync(`${path}.nowhere`))
  })

  t.test(`a ${what} in place of the log is renamed, and the day goes on`, async t => {
    const directory = await temporary(t)
    const first = await openStore(t, directory)
    await first.write(batch(0, [sample([1, 2])]))
    await first.close()
    const log = join(directory, `${DAY}.wal`)
    await put(log, t)
    const lines: string[] = []
    const sink = await openStore(t, directory, { lines })
    await sink.write(batch(1, [sample([1, 2])]))
    t.match(lines, [`${log} is ${kind} and no file`])
    t.match(sink.counters, { damagedDays: 0, damagedLogs: 1 })
    t.same(await rows(sink, count), [['2']])
  })

  t.test(`a ${what} in place of the log of the open day does not hold the store`, async t => {
    const directory = await temporary(t)
    const sink = await openStore(t, directory)
    await sink.write(batch(0, [sample([1, 2])]))
    const log = join(directory, `${DAY}.wal`)
    rmSync(log)
    await put(log, t)
    ;(await sink.lend()).release()
    await sink.write(batch(1, [sample([1, 2])]))
    await sink.close()
    const again = await openStore(t, directory)
    await again.write(batch(2, [sample([1, 2])]))
    t.same(await rows(again, count), [['3']])
  })
}

t.test('a link to the database itself is renamed as well; its log goes with it', async t => {
  const directory = await temporary(t)
  const first = await openStore(t, directory)
  await first.write(batch(0, [sample([1, 2])]))
  await first.close()
  const [path, moved] = [join(directory, DAY), join(directory, 'elsewhere')]
  renameSync(path, moved)
  symlinkSync(moved, path)
  fifo(`${path}.wal`)
  const before = readFileSync(moved)
  const lines: string[] = []
  const sink = await openStore(t, directory, { lines })
  await sink.write(batch(1, [sample([1, 2])]))
  t.same(await rows(sink, count), [['1']])
  t.ok(readFileSync(moved).equals(before))
})

t.test('days of FIFOs hold no query, and go with their day', async t => {
  const directory = await temporary(t)
  let now = start * 1000
  const sink = await openStore(t, directory, { maxAgeDays: 1, now: () => now })
  fifo(join(directory, '2026-01-01.duckdb'))
  await sink.write(batch(0, [sample([1, 2])]))
  t.same(await rows(sink, count), [['1']])
  now += 86_400_000
  await sink.retain()
  t.same(
    readdirSync(directory).filter(name => name.startsWith('2026-01-01')),
    [],
  )
})

for (const [what, [, put]] of Object.entries(odd))
  t.test(`a ${what} in place of the lock`, async t => {
    const directory = await temporary(t)
    await put(join(directory, 'lock'), t)
    if (what === 'directory')
      await t.rejects(openStore(t, directory), {
        message: /lock is a directory: remove it, or give another --store/,
      })
    else {
      await openStore(t, directory)
      t.ok(lstatSync(join(directory, 'lock')).isFile())
    }
  })
