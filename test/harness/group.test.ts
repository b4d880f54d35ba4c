import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { endProcessesIn } from './group.ts'
import { start } from './process.ts'
import { REPOSITORY } from './repository.ts'
import { ended } from './sockflux.ts'
import { until } from './until.ts'

/** A zombie has ended: its parent may not have read its exit code. */
const isThere = (pid: string) => {
  const path = `/proc/${Number(pid)}/stat`
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'latin1'))
}

t.test('a time-out ends the command and its children', async t => {
  const { code, stdout } = await ended(['sh', '-c', 'sleep 60 & echo $!; wait'], {}, 500)
  t.equal(code, -1)
  t.match(stdout, /^\d+\n$/)
  await until('the end of the child', () => !isThere(stdout))
})

t.test('a process that is left is named and ended', async t => {
  await t.rejects(ended(['sh', '-c', 'sleep 61 >/dev/null 2>&1 & exit 3']), {
    message: /left processes: sleep 61 \(pid \d+\)$/,
  })
})

t.test('output and exit code of a command that ends by itself', async t => {
  t.same(await ended(['sh', '-c', 'echo a; echo b >&2; exit 3']), { code: 3, stdout: 'a\n', stderr: 'b\n' })
  t.equal((await ended(['/nowhere/x'])).code, -1)
  t.equal((await ended(['sh', '-c', 'kill -KILL $$'])).code, -1)
})

t.test('processes in a directory, also in one that was removed', async t => {
  const directory = t.testdir({ a: {} })
  const child = start(['sh', '-c', 'cd a && rmdir ../a && echo && exec sleep 62'], { cwd: directory })
  await child.line()
  t.match(endProcessesIn(directory), [/^(sleep 62|sh .*) \(pid \d+\)$/])
  t.match(await child.exited, { signal: 'SIGKILL' })
  t.same(endProcessesIn(directory), [])
  t.same(endProcessesIn(`${REPOSITORY}/nowhere`), [])
})
