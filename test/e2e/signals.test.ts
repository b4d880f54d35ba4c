/** Signals at the real programs: who lives, how they end, and that no listener appears. */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Dealer } from 'zeromq'
import { Cleanup } from '../harness/cleanup.ts'
import { type Child, run, signal, start } from '../harness/process.ts'
import { quoted } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { freePort, logged, openSite, SOCKFLUX, sockflux } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

t.jobs = 3

const real = { skip: needs('root', 'bpf', 'ss') }
const any = { skip: needs('ss') }
const HARMLESS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPIPE'] as const
/** Long enough for Node.js to open its inspector. */
const INSPECTOR_MS = 300

/** Sockets of any kind that this process listens at. */
async function listeners(pid: number): Promise<string[]> {
  const lines = (await run(['ss', '-Hltnup'])) + (await run(['ss', '-Hlxp']))
  return lines
    .split('\n')
    .filter(line => line.includes(`pid=${pid},`))
    .map(line => line.replace(/\s+/g, ' ').trim())
    .sort()
}

async function checkHarmless(
  t: Test,
  child: Child,
  pid = child.pid,
  signals: readonly NodeJS.Signals[] = HARMLESS,
) {
  const before = await listeners(pid)
  for (const name of signals) {
    signal(pid, name)
    await sleep(INSPECTOR_MS)
    t.same(await listeners(pid), before, `no listener after ${name}`)
  }
}

async function site(t: Test) {
  const opened = await openSite()
  t.teardown(() => opened.close())
  return opened
}

for (const last of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
  t.test(`collector: harmless signals, and ${last} stops it with 0`, any, async t => {
    const collector = await (await site(t)).collector()
    await checkHarmless(t, collector, collector.pid, [...HARMLESS, 'SIGHUP'])
    t.same(await collector.kill(last), { code: 0, signal: null })
    t.match(collector.stderr, /"msg":"stopped"/)
  })

for (const last of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
  t.test(`probe: harmless signals, and ${last} stops it with 0`, real, async t => {
    const probe = await (await site(t)).probe(['--interval', '5'])
    await checkHarmless(t, probe, probe.pid, [...HARMLESS, 'SIGHUP'])
    t.same(await probe.kill(last), { code: 0, signal: null })
    t.match(probe.stderr, /"msg":"stopped[;"]/)
  })

t.test(
  'a collector on a terminal reads its settings again on SIGHUP, and ends with its terminal',
  { skip: needs('ss', 'script') },
  async t => {
    const opened = await site(t)
    const words = [
      'collector',
      '--listen',
      opened.endpoint,
      '--socket',
      opened.socket,
      '--store',
      opened.store,
    ]
    const command = [...SOCKFLUX, ...words].map(quoted).join(' ')
    const terminal = start(['script', '-qec', `exec ${command}`, '/dev/null'])
    t.teardown(() => terminal.close())
    await terminal.line(/ collector: started /)
    const pid = Number(await run(['ps', '-o', 'pid=', '--ppid', String(terminal.pid)]))
    signal(pid, 'SIGHUP')
    await terminal.line(/ collector: reloaded /)
    await terminal.kill('SIGKILL')
    await until('the end of the collector', () => !existsSync(`/proc/${pid}`))
  },
)

t.test('SIGHUP reads the list of keys again', any, async t => {
  const opened = await site(t)
  const keys = join(opened.directory, 'keys')
  const collector = await opened.collector(['--keys', keys])
  await mkdir(keys, { recursive: true })
  await writeFile(join(keys, 'allowed'), 'nothing\n')
  signal(collector.pid, 'SIGHUP')
  await logged(collector, /allowed:1: needs a host name and its public key.* counts on/)
  await logged(collector, /"msg":"reloaded"/)
})

t.test('top: harmless signals, and SIGTERM stops it with 0', any, async t => {
  const opened = await site(t)
  await opened.collector()
  const top = sockflux(['top', '--socket', opened.socket])
  t.teardown(() => top.close())
  await top.line()
  await checkHarmless(t, top)
  t.same(await top.kill(), { code: 0, signal: null })
})

t.test('query: harmless signals, and SIGTERM ends it', any, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const socket = join(await scratch(cleanup, 'signals'), 's')
  const server = createServer(() => asked.resolve()).listen(socket) // it never answers
  const asked = Promise.withResolvers<void>()
  await once(server, 'listening')
  cleanup.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const query = sockflux(['query', '--socket', socket, 'select 1'])
  cleanup.defer(() => query.close())
  await asked.promise
  await checkHarmless(t, query)
  t.same(await query.kill(), { code: null, signal: 'SIGTERM' })
})

t.test('run and its children: harmless signals', real, async t => {
  const opened = await site(t)
  const words = ['run', '--interval', '1', '--socket', opened.socket, '--store', opened.store]
  const all = sockflux(words, { SOCKFLUX_LISTEN: opened.link, SOCKFLUX_COLLECTOR: opened.link })
  t.teardown(() => all.close())
  await all.line(/^CONTAINER/, 20_000)
  const children = (await run(['ps', '-o', 'pid=', '--ppid', String(all.pid)]))
    .trim()
    .split(/\s+/)
    .map(Number)
  t.equal(children.length, 3, 'probe, collector, and the guardian of both')
  for (const pid of [all.pid, ...children]) await checkHarmless(t, all, pid)
  t.same(await all.kill('SIGQUIT'), { code: 0, signal: null })
})

t.test('a second signal ends a program that is stopping at once', real, async t => {
  // nobody takes its windows: it waits a second for somebody
  const probe = await (await site(t)).probe()
  await sleep(1500)
  signal(probe.pid, 'SIGTERM')
  await sleep(200)
  t.same(await probe.kill(), { code: null, signal: 'SIGTERM' })
})

t.test('SIGTERM under a million tiny messages ends with 0', any, async t => {
  const opened = await site(t)
  const collector = await opened.collector()
  let over = false
  const dealers = [1, 2, 3, 4].map(() => new Dealer({ linger: 0, sendHighWaterMark: 100_000 }))
  const floods = dealers.map(async dealer => {
    dealer.connect(opened.endpoint)
    while (!over) await dealer.send(['x', 'y']).catch(() => {})
  })
  await sleep(1000)
  t.same(await collector.kill(), { code: 0, signal: null })
  over = true
  for (const dealer of dealers) dealer.close()
  await Promise.all(floods)
  t.ok(collector.stderr.split('\n').filter(line => line.includes('was refused')).length <= 1, 'one line')
})

t.test('the collector listens on both families if the endpoint asks for it', any, async t => {
  for (const [host, expected] of [
    ['*', /\[::\]|\*:/],
    ['localhost', /127\.0\.0\.1:/],
    ['[::1]', /\[::1\]:/],
  ] as const) {
    const port = await freePort()
    const opened = await site(t)
    const collector = await opened.collector(['--listen', `tcp://${host}:${port},plain`])
    t.match((await listeners(collector.pid)).join('\n'), expected)
    await collector.close()
  }
})

t.test('a collector that cannot listen says why in a sentence', any, async t => {
  const opened = await site(t)
  for (const endpoint of ['tcp://nobody.invalid:7000', 'tcp://192.0.2.1:7000', 'tcp://[12345::1]:7000']) {
    const collector = sockflux([
      'collector',
      '--listen',
      `${endpoint},plain`,
      '--socket',
      opened.socket,
      '--store',
      opened.store,
    ])
    t.match(await collector.exited, { code: 1 })
    t.match(collector.stderr, /^sockflux: .*(cannot listen on|needs|is no)[^\n]*\n$/)
  }
})

t.test('a collector whose standard error is full runs on, and counts', any, async t => {
  const opened = await site(t)
  const words = ['collector', '--listen', opened.link, '--socket', opened.socket, '--store', opened.store]
  const collector = start(['bash', '-c', 'exec "$@" 2>/dev/full', 'bash', ...SOCKFLUX, ...words])
  t.teardown(() => collector.close())
  const dropped = async () => ((await opened.stats()) as unknown as { log: { dropped: number } }).log.dropped
  const first = await until('a dropped line', () => dropped().catch(() => undefined), 20_000)
  t.equal(first, 1)
  t.same(await collector.kill(), { code: 0, signal: null })
})
