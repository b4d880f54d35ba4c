/** The command as people start it, from the sources, with everything of its own in one directory. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ask } from '../../cli/client.ts'
import type { LedgerView } from '../../collector/ledger/ledger.ts'
import type { Answer } from '../../collector/sinks/embedded/query/answer.ts'
import type { QueueCounters } from '../../collector/sinks/queue.ts'
import { type Closable, closable } from './cleanup.ts'
import { endGroup, watchGroup } from './group.ts'
import { type Child, signal, start } from './process.ts'
import { scratch } from './scratch.ts'
import { until } from './until.ts'

/** What `GET /stats` of a collector answers. */
export interface Stats {
  received: number
  rows: number
  /** What the collector lost, by reason. */
  lost: Record<string, number>
  /** What the probes say that they lost, by stage and reason. */
  probes: Record<string, number>
  sinks: Record<string, QueueCounters>
  /** Of each role of IPFIX that is on. */
  readonly ipfix?: Readonly<Record<string, Readonly<Record<string, number | boolean>>>>
  /** Objects of each kind, where facts of a cluster are wanted. */
  readonly cluster?: Readonly<Record<string, number | string>>
}

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

type Environment = Record<string, string>

export const SOCKFLUX = [process.execPath, join(import.meta.dirname, '../../cli/sockflux.ts')]

/** The developer's own settings are not the test's; a variable that is empty counts as not set. */
const UNSET: Environment = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => /^(SOCKFLUX|INFLUX)_/.test(name))
    .map(name => [name, '']),
)

/** Starts the command; it need not succeed. */
export function sockflux(words: readonly string[], env: Environment = {}): Child {
  return start([...SOCKFLUX, ...words], { env: { ...UNSET, ...env } })
}

/**
 * Runs a command to its end and returns its output and exit code, -1 for a signal or a time-out. It has its own process
 * group, which is killed after the time-out.
 * @throws if the command leaves processes behind; they are killed
 */
export async function ended(
  command: readonly string[],
  env: Environment = {},
  timeoutMs = 30_000,
): Promise<Ended> {
  const [file = '', ...args] = command
  const options = { env: { ...process.env, ...UNSET, ...env }, detached: true } as const
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid !== undefined) watchGroup(pid)
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    if (pid !== undefined) signal(-pid, 'SIGKILL')
  }, timeoutMs)
  const exited = once(child, 'exit')
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited.then(
      ([code]) => code as number | null,
      () => null,
    ),
  ])
  clearTimeout(deadline)
  const left = pid === undefined ? [] : endGroup(pid)
  if (left.length > 0 && !isLate) throw new Error(`${command.join(' ')} left processes: ${left.join(', ')}`)
  return { code: code ?? -1, stdout, stderr }
}

/** The log line that matches; a program that ends without it has failed. */
export async function logged(program: Child, pattern: RegExp, timeoutMs = 60_000): Promise<void> {
  let end = false
  void program.exited.then(() => {
    end = true
  })
  await until(
    `a log line like ${pattern}`,
    () => {
      if (pattern.test(program.stderr)) return true
      if (end) throw new Error(`${program.command.join(' ')} ended: ${program.stderr}`)
      return false
    },
    timeoutMs,
  )
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** A collector and its probes: where they meet, and what the collector says. */
export class Site {
  readonly directory: string
  readonly endpoint: string
  readonly socket: string
  readonly store: string
  readonly spool: string
  readonly #started: Child[]

  constructor(directory: string, port: number, started: Child[]) {
    this.directory = directory
    this.endpoint = `tcp://127.0.0.1:${port}`
    this.socket = join(directory, 'collector.sock')
    this.store = join(directory, 'store')
    this.spool = join(directory, 'spool')
    this.#started = started
  }

  /** The endpoint as a setting: in plain text, as it was asked for. */
  get link(): string {
    return `${this.endpoint},plain`
  }

  /** Starts a collector here and waits until it listens. Its sink is the embedded store, unless flags say otherwise. */
  collector(flags: readonly string[] = [], env: Environment = {}): Promise<Child> {
    const listen = flags.includes('--listen') ? [] : ['--listen', this.link]
    return this.#start(
      [
        'collector',
        ...listen,
        '--socket',
        this.socket,
        '--store',
        this.store,
        '--spool',
        this.spool,
        ...flags,
      ],
      env,
    )
  }

  /** Starts a probe with windows of one second, without a spool unless flags give one, and waits until it counts. */
  probe(flags: readonly string[] = [], collectors: readonly string[] = [this.link]): Promise<Child> {
    const endpoints = collectors.flatMap(endpoint => ['--collector', endpoint])
    const spool = flags.includes('--spool') ? [] : ['--spool', 'off']
    return this.#start(['probe', ...endpoints, '--interval', '1', ...spool, ...flags])
  }

  async stats(): Promise<Stats> {
    return JSON.parse((await ask(this.socket, 'GET', '/stats')).body) as Stats
  }

  /** What became of windows and samples. */
  async ledger(): Promise<LedgerView> {
    return JSON.parse((await ask(this.socket, 'GET', '/ledger')).body) as LedgerView
  }

  /** What probes and collector lost, by reason; without what was mended. */
  async losses(): Promise<Record<string, number>> {
    const { lost, probes } = await this.stats()
    const { 'kernel/close_missed': _mended, ...losses } = probes
    return { ...lost, ...losses }
  }

  /** Rows of the embedded store; times are RFC 3339. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const { status, body } = await ask(this.socket, 'POST', '/query', { sql })
    if (status !== 200) throw new Error(body)
    const { columns, rows } = JSON.parse(body) as Answer
    return rows.map(row => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])))
  }

  /** `sockflux query` or `sockflux top` at this collector, to its end. */
  run(...words: string[]): Promise<Ended> {
    return ended([...SOCKFLUX, ...words, '--socket', this.socket])
  }

  async #start(words: readonly string[], env: Environment = {}): Promise<Child> {
    const child = sockflux(words, env)
    this.#started.push(child)
    await logged(child, /"msg":"started"/)
    return child
  }
}

export function openSite(): Promise<Site & Closable> {
  return closable(async cleanup => {
    const directory = await scratch(cleanup, 'site')
    const started: Child[] = []
    cleanup.defer(() => Promise.all(started.map(child => child.close())))
    return new Site(directory, await freePort(), started)
  })
}
