/** `sockflux run`: probe and collector as two processes, and the live table until Ctrl-C. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Conversation } from '../collector/flows/conversation.ts'
import type { Answer } from '../collector/flows/live.ts'
import { collectorSettings } from '../collector/options.ts'
import type { TopHost } from '../collector/serve/top.ts'
import { wantedSinks } from '../collector/sinks/open.ts'
import { NODE_FLAGS, stopping } from '../wire/process/signals.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { ask, print } from './client.ts'
import { Guardian } from './guardian.ts'
import { PageLink, pageAddress } from './page.ts'
import { printable } from './printable.ts'
import { screen } from './screen.ts'
import { fit, width } from './width.ts'

const { socket, store, influxUrl, http } = collectorSettings
/** The command as the user typed it: `build/sockflux` in a clone. */
const COMMAND = process.env['SOCKFLUX_COMMAND'] ?? 'sockflux'
/** Suggested commands; they depend on the sinks. */
const next = (sinks: ReturnType<typeof wantedSinks>): string[] => [
  '',
  ...(sinks.some(({ answersQueries }) => answersQueries)
    ? [
        'next, in another terminal:',
        `  ${COMMAND} query 'from "container:num_flows" order by time desc limit 9'`,
        `  ${COMMAND} query 'show tables'`,
      ]
    : [`samples go to ${sinks.map(({ name }) => name).join(', ')}; next, in another terminal:`]),
  `  ${COMMAND} top --help`,
  'Ctrl-C stops everything.',
]
const STOP_MS = 10_000
/** Ample for a collector whose socket was closed to be gone. */
const ENDING_MS = 2000

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('probe and collector in one go, with a live table')
    .option('--interval <seconds>', 'length of a window (default: 10; env: SOCKFLUX_INTERVAL)')
    .option('--no-page', 'serve no page for browsers')
  addFlags(command, 'collector', { socket, store, influxUrl, http })
  command.addHelpText(
    'after',
    '\nAll other settings of probe and collector come from the environment or the file.',
  )
  command.action(async flags => {
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    const isServed = flags['page'] !== false
    const where = isServed && values.http === undefined ? { http: await pageAddress() } : {}
    await run(values.socket, next(wantedSinks(values)), { ...flags, ...where })
  })
}

export function addTop(program: Command): void {
  const command = program.command('top').description('the last window: containers and the busiest processes')
  addFlags(command, 'collector', { socket })
  command.option('--once', 'print the table once').option('--json', 'print once, as JSON')
  command.action(async flags => {
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    if (flags['json'])
      await print(process.stdout, `${JSON.stringify(await withPeers(values.socket), null, 2)}\n`)
    else if (flags['once']) await print(process.stdout, screen(await view(values.socket)))
    else await watch(values.socket, () => [], stopping())
  })
}

/** Hosts with their busiest conversations, if the collector keeps flows. */
async function withPeers(path: string): Promise<(TopHost & { readonly peers?: readonly Conversation[] })[]> {
  const [hosts, { status, body }] = [await view(path), await ask(path, 'GET', '/flows')]
  if (status !== 200) return hosts
  const { flows } = JSON.parse(body) as Answer
  const isOf = (host: string) => (flow: Conversation) => [flow.client?.host, flow.server?.host].includes(host)
  return hosts.map(host => ({ ...host, peers: flows.filter(isOf(host.host)) }))
}

async function view(path: string): Promise<TopHost[]> {
  const { status, body } = await ask(path, 'GET', '/top')
  if (status !== 200) throw new Error(`the collector answered ${status}`)
  return JSON.parse(body) as TopHost[]
}

/** A shorter table is useless: the lines below it are left out first. */
const LEAST_ROWS = 10

/** The table, and the lines below it that fit; a command that was cut would not work. */
function drawing(hosts: readonly TopHost[], below: readonly string[], { stdout } = process): string {
  if (!stdout.isTTY) return [screen(hosts).trimEnd(), ...below].join('\n')
  const [rows, columns] = [stdout.rows || 24, stdout.columns || 80] // a serial line has 0
  const room = Math.max(0, rows - 1 - LEAST_ROWS) // the cursor is on the last row
  const lines = below.filter(line => width(line) <= columns).slice(0, room)
  return [screen(hosts, { rows: rows - 1 - lines.length, columns }).trimEnd(), ...lines].join('\n')
}

/** Draws the table again with each new window: in place on a terminal, one after the other elsewhere. */
async function watch(path: string, below: () => readonly string[], stopped: AbortSignal): Promise<void> {
  const inPlace = process.stdout.isTTY
  let drawn = ''
  while (!stopped.aborted) {
    const hosts = await view(path)
    const table = inPlace ? '' : screen(hosts)
    const text = `${drawing(hosts, below())}\n`
    if (!(await print(process.stdout, inPlace ? `\x1b[H\x1b[J${text}` : table === drawn ? '' : `${text}\n`)))
      return
    drawn = table
    await sleep(1000, undefined, { signal: stopped }).catch(() => {})
  }
}

/** Cut to the terminal's width; these are not commands. */
const notesOf = ({ notes }: Children): string[] => {
  const columns = process.stdout.columns || Number.POSITIVE_INFINITY
  return notes.length === 0 ? [] : ['', ...notes.map(note => fit(note, columns))]
}

/** A line of a child's log for people: its message without the other fields. */
function sentence(line: string): string {
  try {
    const { name, msg, level } = JSON.parse(line) as { name: string; msg: string; level: number }
    return level >= 40 ? printable(`${name}: ${msg}`) : ''
  } catch {
    return printable(line)
  }
}

class Children {
  /** The last warnings and errors of both. */
  readonly notes: string[] = []
  readonly #running = new Map<string, { child: ChildProcess; ended: Promise<void> }>()
  readonly #ended: (name: string) => void
  readonly #guardian = new Guardian()

  constructor(ended: (name: string) => void) {
    this.#ended = ended
  }

  start(name: string, flags: readonly string[]): void {
    const node = [...new Set([...process.execArgv, ...NODE_FLAGS])]
    const child = spawn(process.execPath, [...node, process.argv[1]!, name, ...flags], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'], // the channel closes when we end
      detached: true, // Ctrl-C reaches us alone; we stop the probe before the collector
    })
    if (child.pid !== undefined) this.#guardian.watch(child.pid)
    let rest = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      const found = lines.map(sentence).filter(note => note !== '' && !this.notes.includes(note))
      this.notes.push(...found) // a message of both is shown once
      this.notes.splice(0, this.notes.length - 5)
    })
    // 'close' is never emitted after we close the channel
    const exited = new Promise<void>(resolve => {
      child
        .once('exit', () => resolve())
        .once('error', ({ message }) => resolve(void this.notes.push(message)))
    })
    const ended = Promise.all([exited, once(child.stderr!, 'close')]).then(() => {
      const { signalCode, exitCode } = child
      // its own last line says more than an exit code
      if (signalCode !== null) this.notes.push(`${name}: ended by ${signalCode}`)
      else if (exitCode !== 0 && this.notes.length === 0) this.notes.push(`${name}: ended with ${exitCode}`)
      this.#running.delete(name)
      this.#ended(name)
    })
    this.#running.set(name, { child, ended })
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name)
    if (!running) return
    const { child, ended } = running
    // no signal: the sender may have signalled the whole group already, and a second one would end it at once
    if (child.connected) child.disconnect()
    else child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
  }

  close(): void {
    this.#guardian.close()
  }
}

async function run(
  path: string,
  footer: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const stopped = new AbortController()
  let failed: string | undefined
  const children = new Children(name => {
    if (!stopped.signal.aborted) failed = name
    stopped.abort()
  })
  stopping().addEventListener('abort', () => stopped.abort(), { once: true })
  const pass = (names: readonly string[]) =>
    names.flatMap(name => {
      const value = flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
      return value === undefined ? [] : [`--${name}`, String(value)]
    })
  children.start('collector', pass(['config', 'socket', 'store', 'influx-url', 'http']))
  children.start('probe', [...pass(['config', 'interval']), '--send-offset', '0']) // no other host sends to this collector
  await print(process.stdout, 'starting probe and collector …\n')
  try {
    await answering(path, stopped.signal)
    const link = new PageLink()
    void link.follow(path, stopped.signal)
    await watch(path, () => [...notesOf(children), ...link.lines, ...footer], stopped.signal)
  } catch (error) {
    // a collector that ends closes its socket first: why it ended says more than that
    await sleep(ENDING_MS, undefined, { signal: stopped.signal }).catch(() => {})
    if (!stopped.signal.aborted) throw error
  } finally {
    stopped.abort()
    await children.stop('probe')
    await children.stop('collector')
    children.close()
  }
  if (failed) throw new Error(`the ${failed} ended:\n  ${children.notes.join('\n  ') || 'no log output'}`)
  await print(process.stdout, '\nstopped\n')
}

async function answering(path: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    if (
      await view(path).then(
        () => true,
        () => false,
      )
    )
      return
    await sleep(100, undefined, { signal: stopped }).catch(() => {})
  }
}
