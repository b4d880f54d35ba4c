import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Routes } from '../../../collector/routes.ts'
import { serve } from '../../../collector/serve/server.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { ended, SOCKFLUX } from '../../harness/sockflux.ts'
import { openScreen } from '../../harness/tmux.ts'
import { until } from '../../harness/until.ts'
import { conversation, host, onHost, peer, quiet, row, TIME } from './given.ts'

// they wait more than they work
t.jobs = 3

const skip = needs('tmux')
/** Select Graphic Rendition. */
const ESC = String.fromCharCode(27)
const SGR = new RegExp(`${ESC}\\[[\\d;]*m`)
const RED = new RegExp(`${ESC}\\[[\\d;]*31m *1`)
const containers = [
  onHost,
  ...Array.from({ length: 40 }, (_, at) =>
    row({
      id: `c${at}`,
      name: `web-${at}`,
      sentPerSecond: 4000 - at,
      asServer: at,
      failed: at === 3 ? 1 : 0,
    }),
  ),
  quiet({ id: 'cq', name: 'sleeper' }),
]
const flows = Array.from({ length: 300 }, (_, at) =>
  conversation({ id: `f${at}`, asked: { ip: '10.0.0.2', port: 9000 + at } }),
)
const ROUTES: Routes = {
  'GET /top': async () => [host({ containers, pods: [row({ id: 'u1', name: 'front-0' })] })],
  'GET /peers': async () => ({ peers: [peer()], total: 1 }),
  'GET /flows': async ({ url }) => {
    const word = url.searchParams.get('text') ?? ''
    const found = flows.filter(({ asked }) => String(asked.port).includes(word))
    return {
      time: TIME,
      flows: found,
      total: word === '' ? 10_000 : found.length,
      live: 10_000,
      most: 262_144,
      folded: [],
    }
  },
}

/** A collector's socket that answers the same always. */
async function collector(t: Test) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const socket = join(await scratch(cleanup, 'top'), 's')
  let server = await serve(socket, ROUTES)
  t.teardown(() => server.close())
  return {
    command: [...SOCKFLUX, 'top', '--socket', socket].map(word => `'${word}'`).join(' '),
    words: [...SOCKFLUX, 'top', '--socket', socket],
    stop: () => server.close(),
    async start() {
      server = await serve(socket, ROUTES)
    },
  }
}

async function watched(t: Test, columns: number, rows: number, env: Record<string, string> = {}) {
  const [served, screen] = [await collector(t), await openScreen(columns, rows, env)]
  t.teardown(() => screen.close())
  await screen.type(served.command)
  return { ...served, screen }
}

for (const [columns, rows] of [
  [80, 24],
  [132, 50],
  [40, 12],
] as const)
  t.test(
    `on a terminal of ${columns}x${rows} the head is above, and nothing scrolls or wraps`,
    { skip },
    async t => {
      const { screen } = await watched(t, columns, rows)
      const shown = (await screen.shows(/CONTAINER/)).split('\n')
      t.match(shown[0], /^sockflux .*flows 136 .*\? help$/)
      t.match(shown[1], /^sort \[SENT\/s\]/)
      t.match(shown[2], /^ CONTAINER .*SENT\/s/)
      t.match(shown[3], /^>\(host\)/)
      t.match(shown[rows - 1], /^Enter details .*quit/)
      await screen.resize(columns - 9, rows - 1)
      const smaller = await screen.shows(new RegExp(`^sockflux.*\n(.*\n){${rows - 3}}Enter details`))
      t.match(smaller, /CONTAINER/)
      await screen.resize(columns, rows)
      t.same(
        (await screen.shows(new RegExp(`^sockflux.*\n(.*\n){${rows - 2}}Enter details`))).split('\n')[2],
        shown[2],
      )
      await screen.press('q')
      await screen.shows(/^\$$/m)
    },
  )

t.test(
  'keys: views, sort, filter, fold, quiet ones, units, pause, connections, details, help',
  { skip },
  async t => {
    const { screen } = await watched(t, 110, 30)
    await screen.shows(/^>\(host\)/m)
    await screen.press('Down', 'j')
    await screen.shows(/^>web-1 /m)
    await screen.press('End')
    await screen.shows(/^>web-39 /m)
    await screen.press('Home', 'a')
    await screen.press('/')
    await screen.tmux('send-keys', '-l', 'sleeper')
    await screen.shows(/filter: sleeper_[\s\S]*sleeper/)
    await screen.press('Escape')
    await screen.shows(/filter: - /)
    await screen.press('s', 's', 's')
    await screen.shows(/sort \[SERVER\][\s\S]*\n>web-39 [\s\S]*\n web-38 /)
    await screen.press('I')
    await screen.shows(/sort \[SERVER ↑\]/)
    await screen.press('u')
    await screen.shows(/kbit\/s/)
    await screen.press('F3')
    await screen.shows(/\[pods\][\s\S]*front-0/)
    await screen.press('c', 'g')
    await screen.shows(/\[containers by pods\]/)
    await screen.press('Space')
    await screen.shows(/paused/)
    await screen.press('Space', 'i')
    await screen.shows(/INTERFACE[\s\S]*eth0/)
    await screen.press('w')
    await screen.shows(/web +nginx +db:5432 +postgres/)
    await screen.press('f')
    await screen.shows(/9,?700 more|9700 more/)
    await screen.press('/')
    await screen.tmux('send-keys', '-l', '9299')
    await screen.press('Enter')
    await screen.shows(/10\.0\.0\.2:9299/)
    await screen.press('Enter')
    await screen.shows(/CONNECTION\n from +10\.0\.0\.1:40000/)
    await screen.press('Escape', 'Escape', 'c')
    await screen.shows(/^>web-0 /m)
    await screen.press('Down', 'Enter')
    await screen.shows(/connections of web-1[\s\S]*PEER +ROLE/)
    await screen.press('Escape', '?')
    await screen.shows(/units: bytes or bits/)
    await screen.press('Escape', 'q')
    await screen.shows(/^\$$/m)
  },
)

t.test('colour has a meaning, NO_COLOR takes it away', { skip }, async t => {
  const plain = await watched(t, 100, 30, { NO_COLOR: '1' })
  const text = await plain.screen.shows(/web-3 /)
  t.notMatch(await plain.screen.coloured(), SGR)
  const coloured = await watched(t, 100, 30)
  await coloured.screen.shows(/web-3 /)
  t.match(await coloured.screen.coloured(), RED, 'a failed connection is red')
  t.equal(
    (await coloured.screen.lines()).slice(2).join('\n'),
    text.split('\n').slice(2).join('\n'),
    'the same text',
  )
})

t.test('TERM=dumb and a pipe: plain tables, one after the other', { skip }, async t => {
  const dumb = await watched(t, 100, 40)
  await dumb.screen.shows(/CONTAINER/)
  await dumb.screen.press('q')
  await dumb.screen.shows(/\$\s*$/)
  await dumb.screen.type(`TERM=dumb ${dumb.command}`)
  await dumb.screen.shows(/PROCESS \(by program\)/)
  t.equal(await dumb.screen.told('#{alternate_on}'), '0')
  await dumb.screen.press('C-c')
  await dumb.screen.shows(/\$\s*$/)
  const once = await ended([...dumb.words, '--once'])
  t.notOk(once.stdout.includes('\x1b'))
  t.match(once.stdout, /^CONTAINER .*SENT\/s/m)
  t.match(once.stdout, /^sleeper /m, 'all rows')
  const filtered = await ended([...dumb.words, '--once', '--view', 'containers', '--filter', 'web-39'])
  t.match(filtered.stdout, /^web-39 /m)
  t.notMatch(filtered.stdout, /^web-38 /m)
  const json = JSON.parse((await ended([...dumb.words, '--json'])).stdout)
  t.match(json, { hosts: [{ host: 'node1' }], peers: [{ id: 'p1' }], flows: [{ id: 'f0' }] })
})

/** As the shell left it: its screen, a cursor, lines and their echo. */
async function isRestored({ screen }: Awaited<ReturnType<typeof watched>>): Promise<boolean> {
  const told = await screen.told('#{alternate_on} #{cursor_flag} #{wrap_flag}')
  await screen.type(
    'clear; stty -a | tr ";" "\\n" | grep -Eow -e "-?(icanon|echo|isig|opost)" | xargs; echo done',
  )
  const text = await screen.shows(/^done$/m)
  return told === '0 1 1' && /^isig icanon echo opost$|^opost isig icanon echo$/m.test(text)
}

t.test('the terminal is as it was, whichever way it ends', { skip }, async t => {
  const run = await watched(t, 80, 24)
  const { screen, command } = run
  const pid = async () => (await screen.tmux('list-panes', '-F', '#{pane_pid}')).trim()
  const child = (signal: string) => async () => {
    const { stdout } = await ended(['pgrep', '-P', await pid()])
    process.kill(Number(stdout.trim()), signal)
  }
  const ways: Record<string, () => Promise<void>> = {
    q: () => screen.press('q'),
    'Ctrl-C': () => screen.press('C-c'),
    SIGINT: child('SIGINT'),
    SIGTERM: child('SIGTERM'),
    SIGHUP: child('SIGHUP'),
    SIGQUIT: child('SIGQUIT'),
  }
  for (const [way, leave] of Object.entries(ways)) {
    await screen.shows(/^ CONTAINER/m)
    t.equal(await screen.told('#{alternate_on} #{cursor_flag} #{wrap_flag}'), '1 0 0', `before ${way}`)
    await leave()
    await until(`the end by ${way}`, async () => (await screen.told('#{alternate_on}')) === '0')
    t.ok(await isRestored(run), way)
    await screen.type(`clear; ${command}`)
  }
  await screen.shows(/^ CONTAINER/m)
})

t.test('Ctrl-Z stops it with the terminal as it was, fg goes on', { skip }, async t => {
  const run = await watched(t, 80, 24)
  const { screen } = run
  for (const stop of [() => screen.press('C-z'), () => screen.press('C-z')]) {
    await screen.shows(/^ CONTAINER/m)
    await stop()
    await screen.shows(/Stopped/)
    t.ok(await isRestored(run))
    await screen.type('fg')
  }
  await screen.shows(/^ CONTAINER/m)
  await screen.press('p')
  await screen.shows(/front-0/)
})

t.test('a collector that is gone is told, and found again', { skip }, async t => {
  const { screen, stop, start } = await watched(t, 100, 24)
  await screen.shows(/^>\(host\)/m)
  await stop()
  await screen.shows(/^sockflux.*NO ANSWER for \d+ s[\s\S]*\(host\)/)
  await start()
  await until('the head as before', async () => !/NO ANSWER/.test(await screen.text()))
})

t.test('a program that cannot start leaves no trace on the terminal', { skip }, async t => {
  const screen = await openScreen(80, 24)
  t.teardown(() => screen.close())
  await screen.type([...SOCKFLUX, 'top', '--socket', '/nowhere/s'].map(word => `'${word}'`).join(' '))
  await screen.shows(/no collector answers at/)
  t.equal(await screen.told('#{alternate_on} #{cursor_flag} #{wrap_flag}'), '0 1 1')
})
