import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { freed, mounts, objectsOf, pins } from '../harness/bpf_objects.ts'
import type { Child } from '../harness/process.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site, SOCKFLUX, sockflux } from '../harness/sockflux.ts'
import { openScreen } from '../harness/tmux.ts'
import { until } from '../harness/until.ts'

// they wait more than they work
t.jobs = 3

const real = { skip: needs('root', 'bpf', 'bpftool') }
const TABLE = /^CONTAINER +POD +NAMESPACE +SENT/
const TABLE_TIMEOUT_MS = 60_000

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')

/** What `sockflux run` is told here: to use nothing that is not its own. */
async function setUp(t: Test) {
  const site = await openSite()
  t.teardown(() => site.close())
  const words = ['run', '--interval', '1', '--socket', site.socket, '--store', site.store]
  const env = { SOCKFLUX_LISTEN: site.link, SOCKFLUX_COLLECTOR: site.link, SOCKFLUX_HTTP: '127.0.0.1:0' }
  return { site, words, env }
}

function close(t: Test, run: Child): Child {
  t.teardown(() => run.close())
  return run
}

/** Everything that belongs to a `sockflux run` with this pid. */
async function belongings(pid: number) {
  const pids = await until('probe and collector', () => {
    const children = childrenOf(pid).filter(child => /sockflux\.ts (probe|collector) /.test(commandOf(child)))
    return children.length === 2 && children
  })
  const ofName = (name: string) => pids.find(child => commandOf(child).includes(`sockflux.ts ${name} `))!
  const probe = ofName('probe')
  return { probe, collector: ofName('collector'), objects: objectsOf(probe), around: surroundings() }
}

const surroundings = () => ({ mounts: mounts(), pins: pins() })

async function checkNothingLeft(t: Test, site: Site, had: Awaited<ReturnType<typeof belongings>>) {
  t.notOk(existsSync(`/proc/${had.probe}`), 'no probe')
  t.notOk(existsSync(`/proc/${had.collector}`), 'no collector')
  t.ok(had.objects.size > 10, `the probe had ${had.objects.size} BPF objects`)
  await freed(had.objects)
  t.same(surroundings(), had.around, 'no mount, no pin')
  t.notOk(existsSync(site.socket), 'no socket')
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  t.test(`run shows the table, and ${signal} stops all of it`, real, async t => {
    const { site, words, env } = await setUp(t)
    const run = close(t, sockflux(words, env))
    await run.line(TABLE, TABLE_TIMEOUT_MS)
    await run.line(/^\(host\)/)
    await run.line(/^next, in another terminal: sockflux query --socket /)
    const had = await belongings(run.pid)
    t.same(await run.kill(signal), { code: 0, signal: null })
    await run.line(/^stopped/)
    await checkNothingLeft(t, site, had)
  })

t.test('the link that run shows opens the page, once', real, async t => {
  const { words, env } = await setUp(t)
  const run = close(t, sockflux(words, env))
  const shown = await run.line(/^page, opens once: http:/, TABLE_TIMEOUT_MS)
  const link = shown.split(': ', 2)[1]!
  t.equal((await fetch(link)).status, 200)
  t.equal((await fetch(link)).status, 403)
})

t.test('Ctrl-C in a terminal stops all of it', { skip: real.skip || needs('tmux') }, async t => {
  const { site, words, env } = await setUp(t)
  const screen = await openScreen(100, 30, env)
  t.teardown(() => screen.close())
  await screen.type([...SOCKFLUX, ...words].map(word => `'${word}'`).join(' '))
  await screen.shows(/^ CONTAINER +POD[\s\S]*^.\(host\)[\s\S]* q quit/m)
  const [pid] = childrenOf(Number(await screen.told('#{pane_pid}')))
  const had = await belongings(pid!)
  await screen.press('C-c')
  await screen.shows(/^stopped$/m)
  await screen.type('echo ended with $?')
  await screen.shows(/^(\$ )?ended with 0$/m) // what is typed before the prompt is behind it
  await checkNothingLeft(t, site, had)
})

for (const part of ['probe', 'collector'] as const)
  t.test(`when the ${part} dies, run says so and ends`, real, async t => {
    const { words, env } = await setUp(t)
    const run = close(t, sockflux(words, env))
    await run.line(TABLE, TABLE_TIMEOUT_MS)
    const had = await belongings(run.pid)
    process.kill(had[part], 'SIGKILL')
    t.same(await run.exited, { code: 1, signal: null })
    t.match(run.stderr, new RegExp(`^sockflux: the ${part} ended`))
    t.notMatch(run.stderr, /^ +at /m, 'in a sentence, not a stack')
    t.notOk(existsSync(`/proc/${had.probe}`) || existsSync(`/proc/${had.collector}`), 'the other one as well')
    await freed(had.objects)
  })

t.test('when the port is taken, run says whose it is not', real, async t => {
  const { site, words, env } = await setUp(t)
  await site.collector()
  const other = [...words, '--socket', `${site.socket}.2`, '--store', `${site.store}.2`]
  const run = close(t, sockflux(other, env))
  t.same(await run.exited, { code: 1, signal: null })
  t.match(
    run.stderr,
    /^sockflux: the collector ended:\n +sockflux: cannot listen on tcp:\S+: Address already in use; is another/,
  )
})

t.test('a setting that would command a terminal is refused before anything starts', real, async t => {
  const { words, env } = await setUp(t)
  const run = close(t, sockflux(words, { ...env, SOCKFLUX_LISTEN: 'ipc:///nowhere/\u009b2J\u202e' }))
  t.same(await run.exited, { code: 1, signal: null })
  t.match(run.stderr, /^sockflux: SOCKFLUX_LISTEN: the text has the invisible character U\+009B: remove it$/m)
})

t.test('a reader that has seen enough ends all of it', real, async t => {
  const { site, words, env } = await setUp(t)
  const command = `"$@" | head --lines 1; exit \${PIPESTATUS[0]}`
  const run = close(t, start(['bash', '-c', command, 'bash', ...SOCKFLUX, ...words], { env }))
  await run.line(/^starting/, TABLE_TIMEOUT_MS)
  t.same(await run.exited, { code: 0, signal: null })
  t.equal(run.stderr, '')
  t.notOk(existsSync(site.socket), 'no socket')
})

for (const hangs of [false, true])
  t.test(`run that is killed leaves nothing${hangs ? ', also when a child hangs' : ''}`, real, async t => {
    const { words, env } = await setUp(t)
    const run = close(t, sockflux(words, env))
    await run.line(TABLE, TABLE_TIMEOUT_MS)
    const had = await belongings(run.pid)
    if (hangs) process.kill(had.collector, 'SIGSTOP')
    await run.kill('SIGKILL')
    const gone = () => !existsSync(`/proc/${had.probe}`) && !existsSync(`/proc/${had.collector}`)
    await until('both have ended', gone, 20_000)
    await freed(had.objects)
  })
