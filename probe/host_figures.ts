/**
 * Figures of this host and of the probe itself, once a window, as rows.
 *
 * Memory comes from systeminformation, which reads a file for it. CPU and interfaces do not: for these it starts a shell
 * each time, `cat /proc/stat` synchronously (4.5 ms in which the probe stands still) and one `cat` for each interface
 * (6 ms each), where one read of a file does. Loading it takes 10 MB.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeRows, type RowOf } from '../wire/columns.ts'
import { type HostRecord, type HostRow, type hostColumns, hostLayout } from '../wire/host_records.ts'
import type { Rows } from '../wire/layout.ts'

export interface HostOptions {
  readonly proc?: string
  readonly memory?: () => Promise<HostRow<'host_mem'>>
  /** How long a figure may take; no window waits longer. */
  readonly limitMs?: number
}

/** Interfaces beyond these count together as `~other`: a host with many containers has one for each. */
const MAX_INTERFACES = 64
const LIMIT_MS = 1000

export function hostRows<N extends HostRecord>(record: N, rows: readonly HostRow<N>[]): Rows {
  const layout = hostLayout(record)
  return { layout, bytes: encodeRows(layout, rows as readonly RowOf<(typeof hostColumns)[N]>[]) }
}

export class Host {
  /** Figures that could not be read, or not in time. */
  failures = 0
  readonly #limitMs: number
  readonly #sources: readonly { readonly read: () => Promise<Rows>; running: boolean }[]

  constructor({ proc = '/proc', memory = memoryOf, limitMs = LIMIT_MS }: HostOptions = {}) {
    this.#limitMs = limitMs
    const interfaces = new Interfaces()
    const cpu = new Cpu()
    const text = (path: string) => readFile(join(proc, path), 'utf8')
    this.#sources = [
      async () => hostRows('iface', interfaces.since(await text('net/dev'))),
      async () => hostRows('host_cpu', cpu.since(await text('stat'), await text('loadavg'))),
      async () => hostRows('host_mem', [await memory()]),
      async () => hostRows('host_conntrack', await conntrackOf(text)),
    ].map(read => ({ read, running: false }))
  }

  figures() {
    return { host_failures: this.failures }
  }

  /**
   * Call once a window, at its end. A figure that fails or hangs is counted and left out; it never throws. Interfaces and
   * CPU begin with the second call: they are differences.
   */
  async sample(): Promise<Rows[]> {
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), this.#limitMs)
    const found = await Promise.all(
      this.#sources.map(async source => {
        if (source.running) return undefined
        source.running = true
        const read = source.read().finally(() => {
          source.running = false
        })
        return Promise.race([read.catch(() => undefined), late.promise])
      }),
    )
    clearTimeout(timer)
    this.failures += found.filter(rows => rows === undefined).length
    return found.filter(rows => rows !== undefined).filter(({ bytes }) => bytes.length > 0)
  }
}

type Iface = HostRow<'iface'>

/** Columns of /proc/net/dev after the name: proc_pid_net(5); net/core/net-procfs.c. */
const DEV: readonly (keyof Iface | undefined)[] = [
  ...([
    'rx_bytes',
    'rx_packets',
    'rx_errors',
    'rx_dropped',
    undefined,
    undefined,
    undefined,
    undefined,
  ] as const),
  ...(['tx_bytes', 'tx_packets', 'tx_errors', 'tx_dropped'] as const),
]

/** @returns by name, since each interface was made */
export function parseInterfaces(text: string): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>()
  for (const line of text.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':')
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    if (colon < 0 || numbers.length < DEV.length || numbers.some(Number.isNaN)) continue
    const columns = DEV.flatMap((name, index) => (name ? [[name, numbers[index]!] as const] : []))
    found.set(line.slice(0, colon).trim(), Object.fromEntries(columns))
  }
  return found
}

class Interfaces {
  #before: Map<string, Record<string, number>> | undefined

  since(text: string): Iface[] {
    const before = this.#before
    const now = parseInterfaces(text)
    this.#before = now
    if (!before) return []
    const rows = [...now].map(([ifname, counters]) => {
      const last = before.get(ifname)
      return { ifname, ...grown(counters, last) } as Iface
    })
    const rest = rows.splice(MAX_INTERFACES)
    if (rest.length > 0)
      rows.push(
        Object.fromEntries(
          Object.keys(rest[0]!).map(name => [
            name,
            name === 'ifname'
              ? '~other'
              : rest.reduce((sum, row) => sum + Number(row[name as keyof Iface]), 0),
          ]),
        ) as Iface,
      )
    return rows
  }
}

/** The growth of counters since the last call; of an interface that was created again, its whole count. */
function grown(now: Readonly<Record<string, number>>, last: Readonly<Record<string, number>> = {}) {
  const isNew = Object.entries(now).some(([name, value]) => value < (last[name] ?? 0))
  return Object.fromEntries(
    Object.entries(now).map(([name, value]) => [name, isNew ? value : value - (last[name] ?? 0)]),
  )
}

/** First line of /proc/stat, in ticks: proc_stat(5). Time of guests is in `user` and `nice` already. */
const TICKS = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const

class Cpu {
  #before: Record<string, number> | undefined

  since(stat: string, loadavg: string): HostRow<'host_cpu'>[] {
    const [first = '', ...lines] = stat.split('\n')
    const numbers = first.trim().split(/\s+/).slice(1).map(Number)
    if (!first.startsWith('cpu ') || numbers.length < TICKS.length)
      throw new Error('/proc/stat has no line cpu')
    const now = Object.fromEntries(TICKS.map((name, index) => [name, numbers[index]!]))
    const before = this.#before
    this.#before = now
    if (!before) return []
    // idle and iowait may go back a little: proc_stat(5)
    const ticks = Object.fromEntries(
      TICKS.map(name => [name, Math.max(0, now[name]! - before[name]!)]),
    ) as Record<(typeof TICKS)[number], number>
    const all = TICKS.reduce((sum, name) => sum + ticks[name], 0)
    const share = (part: number) => (all > 0 ? Math.round((part / all) * 10_000) : 0)
    return [
      {
        load: share(all - ticks.idle - ticks.iowait),
        user: share(ticks.user + ticks.nice),
        system: share(ticks.system + ticks.irq + ticks.softirq),
        steal: share(ticks.steal),
        load1: Math.round(Number(loadavg.split(' ', 1)[0]) * 100),
        cores: lines.filter(line => /^cpu\d/.test(line)).length,
      },
    ]
  }
}

/** nf_conntrack(8) of the probe's network namespace; without the module there are no such files. */
async function conntrackOf(text: (path: string) => Promise<string>): Promise<HostRow<'host_conntrack'>[]> {
  const of = async (name: string) => Number(await text(`sys/net/netfilter/nf_conntrack_${name}`))
  try {
    return [{ count: await of('count'), max: await of('max') }]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function memoryOf(): Promise<HostRow<'host_mem'>> {
  const { mem } = await import('systeminformation')
  const memory = await mem()
  return {
    total_bytes: memory.total,
    used_bytes: memory.total - memory.available,
    available_bytes: memory.available,
    cached_bytes: memory.buffcache,
    swap_total_bytes: memory.swaptotal,
    swap_used_bytes: memory.swapused,
  }
}

/** The columns of `probe_stats`, counted since the start of the probe where they rise. */
export type ProbeFigures = HostRow<'probe_stats'>

const NOTHING = Object.fromEntries(
  hostLayout('probe_stats').fields.map(({ name }) => [name, 0]),
) as unknown as ProbeFigures
const RISING = [
  ...(['user_us', 'system_us', 'rows', 'messages', 'host_failures'] as const),
  ...(['stored_windows', 'stored_rows', 'other_netns_rows'] as const),
]

/** The row `probe_stats` of each window. */
export class ProbeStats {
  #before: Partial<ProbeFigures> = {}

  /** @param counted what is left out is 0 */
  since(counted: Partial<ProbeFigures>): Rows {
    const now: ProbeFigures = { ...NOTHING, ...counted }
    const risen = RISING.map(name => [name, now[name] - (this.#before[name] ?? 0)] as const)
    this.#before = now
    return hostRows('probe_stats', [{ ...now, ...Object.fromEntries(risen) }])
  }
}
