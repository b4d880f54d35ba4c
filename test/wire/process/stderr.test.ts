import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../../harness/cleanup.ts'
import { type Child, start } from '../../harness/process.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { until } from '../../harness/until.ts'

t.jobs = 4

const PROGRAM = join(import.meta.dirname, 'stderr_program.ts')

/** The program, its standard error as this piece of bash says; "$@" is the program. */
async function program(t: Test, script: string) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'stderr')
  const child = start(['bash', '-c', script, 'bash', process.execPath, PROGRAM], { cwd: directory })
  cleanup.defer(() => child.kill('SIGKILL'))
  return { child, directory }
}

const dropped = async (child: Child): Promise<number> => JSON.parse(await child.line(/dropped/)).dropped

/** It goes on for twenty rounds more, with lines dropped. */
async function checkGoesOn(t: Test, child: Child) {
  await until('dropped lines', async () => (await dropped(child)) > 0)
  for (let round = 0; round < 20; round++) await dropped(child)
  t.pass('it goes on')
}

for (const [name, script] of [
  ['a full disk', 'exec "$@" 2>/dev/full'],
  ['a limit of file sizes', 'unset NODE_OPTIONS; ulimit -f 8; exec "$@" 2>log'],
  ['a pipe whose reader has gone', '"$@" 2> >(exec head --lines 1 >/dev/null)'],
  ['a pipe that nobody reads', 'mkfifo f; exec 8<>f; exec "$@" 2>f'],
  ['a pipe that nobody reads, of another description', 'exec "$@" 2> >(exec sleep 3 >&-)'],
] as const)
  t.test(`standard error is ${name}: it goes on`, async t => {
    const { child } = await program(t, script)
    await checkGoesOn(t, child)
  })

t.test(
  'standard error is a disk that fills up: the lines that fit are there',
  { skip: needs('root') },
  async t => {
    const script = 'mkdir m && mount -t tmpfs -o size=16k none m && exec "$@" 2>m/log'
    const { child } = await program(t, `exec unshare --mount bash -c '${script}' bash "$@"`)
    await checkGoesOn(t, child)
    const lines = readFileSync(`/proc/${child.pid}/fd/2`, 'utf8')
    t.ok(lines.length > 8000)
    t.match(JSON.parse(lines.split('\n')[0]!), { name: 'program', index: 0 })
  },
)

t.test('standard error is a socket that nobody reads: it goes on', async t => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', more => {
    text += more
  })
  await until('dropped lines', () => /"dropped":[1-9]/.test(text))
  const rounds = () => text.split('\n').length
  const then = rounds()
  await until('more rounds', () => rounds() > then + 20)
  let log = ''
  child.stderr.setEncoding('utf8').on('data', more => {
    log += more
  })
  await until('the note', () => log.includes('log lines were dropped'))
  child.stdin.end()
  await until('the last line', () => log.includes('"msg":"stopped"'))
  for (const line of log.trim().split('\n')) JSON.parse(line)
})

t.test('standard error is closed: it goes on', async t => {
  const { child } = await program(t, 'exec "$@" 2>&-')
  for (let round = 0; round < 20; round++) await dropped(child)
  t.pass('Node.js opens /dev/null for it')
})

t.test('standard error is a terminal that vanishes: it goes on', { skip: needs('script') }, async t => {
  // in a session of its own nobody tells it
  const inside = `"setsid '$1' '$2' <in >out 7>&- 8>&- & sleep 0.7"`
  const { child, directory } = await program(
    t,
    `mkfifo in out; exec 7<>in 8<>out
     script --quiet --command ${inside} /dev/null >shown </dev/null 7>&7 8>&8
     exec cat <&8`,
  )
  await checkGoesOn(t, child)
  t.match(readFileSync(join(directory, 'shown'), 'utf8'), /\d\d:\d\d:\d\d info {2}program: xxx/)
})

t.test('a file keeps what others wrote to it before and after', async t => {
  const { child, directory } = await program(t, '(echo before >&2; "$@"; echo after >&2) 2>log')
  await dropped(child)
  child.end()
  await child.exited
  const lines = readFileSync(join(directory, 'log'), 'utf8').trim().split('\n')
  t.equal(lines[0], 'before')
  t.match(lines.at(-2), /"msg":"stopped"/, 'nothing of the last lines is lost')
  t.equal(lines.at(-1), 'after')
})
