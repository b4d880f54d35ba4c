import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inspect } from '../../../wire/spool/inspect.ts'
import { openSpool } from '../../../wire/spool/spool.ts'
import { temporary } from '../../harness/embedded.ts'

const item = (host: string, rows: number) => ({
  ...{ head: { host }, frames: [Buffer.alloc(100)], windows: 1, rows },
})
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()

t.test('what waits is told while the program runs and after it; nothing is changed', async t => {
  const directory = await temporary(t)
  const bounds = { directory, maxBytes: 2 ** 20, maxAgeMs: 1e9, found: () => {} }
  const spool = await openSpool({ ...bounds, now: () => 1000 })
  t.match(await inspect(directory), { records: 0, hosts: {}, oldest: undefined })
  const serials = await spool.append([item('a', 5), item('b', 7), item('a', 1)])
  spool.release(serials.slice(0, 1))
  const expected = {
    ...{ records: 2, windows: 2, rows: 8, damaged: 0, oldest: 1000, newest: 1000 },
    hosts: { a: { records: 1, rows: 1 }, b: { records: 1, rows: 7 } },
  }
  t.match(await inspect(directory), { isUsed: true })
  await spool.close()
  const before = filesIn(directory)
  t.match(await inspect(directory), { ...expected, isUsed: false })
  t.same(filesIn(directory), before)
  const second = await openSpool({ ...bounds, now: () => 2000 })
  t.match(await inspect(directory), { ...expected, isUsed: true }, 'also what was taken over')
  await second.close()
})

t.test('a torn tail is told, and is no error', async t => {
  const directory = await temporary(t)
  const spool = await openSpool({ directory, maxBytes: 2 ** 20, maxAgeMs: 1e9, found: () => {} })
  await spool.append([item('a', 5), item('a', 5)])
  await spool.close()
  const name = filesIn(directory).find(name => name.endsWith('.seg'))!
  truncateSync(join(directory, name), 200)
  t.match(await inspect(directory), { records: 1, damaged: 1 })
})

t.test('pipes in the place of files, by another user, do not stop it', async t => {
  const directory = await temporary(t)
  const spool = await openSpool({ directory, maxBytes: 2 ** 20, maxAgeMs: 1e9, found: () => {} })
  await spool.append([item('a', 5)])
  await spool.close()
  const paths = filesIn(directory).filter(name => /\.seg$|released$/.test(name))
  t.ok(paths.length > 0)
  for (const name of paths) {
    rmSync(join(directory, name))
    execFileSync('mkfifo', [join(directory, name)])
  }
  t.match(await inspect(directory), { records: 0, rows: 0, isUsed: false })
})
