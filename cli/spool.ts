/** `sockflux spool`: what waits on the disk of this host, read from the directories, whether a program runs or not. */

import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { collectorSettings } from '../collector/options.ts'
import { targetsIn } from '../collector/sinks/spools.ts'
import { probeSettings } from '../probe/options.ts'
import { readForeign } from '../wire/process/foreign.ts'
import { readSettings } from '../wire/settings/read.ts'
import { type Contents, inspect } from '../wire/spool/inspect.ts'
import { COLLECTOR, spoolDirectory } from '../wire/spool/place.ts'
import { print } from './client.ts'
import { tableOf } from './format.ts'

/** Where the units of the packages have theirs. */
const PLACES = ['/var/lib/sockflux/spool', '/var/lib/sockflux-probe/spool']

interface Queue extends Contents {
  readonly program: 'probe' | 'collector'
  /** What it waits for: a collector, or a sink with its target. */
  readonly for: string
  readonly directory: string
}

export function addSpool(program: Command): void {
  program
    .command('spool')
    .description('what waits on disk on this host for a collector or a database')
    .option(
      '--spool <directory>',
      'of a probe or a collector; else those of the settings and of the packages',
    )
    .option('--json', 'print JSON')
    .action(async ({ spool, json }: { spool?: string; json?: boolean }) => {
      const roots = spool === undefined ? defaults() : [spool]
      const queues = await queuesOf(roots)
      await print(process.stdout, json ? `${JSON.stringify(queues, null, 2)}\n` : textOf(queues, roots))
    })
}

function defaults(): string[] {
  const settings = [
    readSettings(collectorSettings, 'collector', {}, process.env).spool,
    readSettings(probeSettings, 'probe', {}, process.env).spool,
  ]
  const all = [...settings.map(spool => spoolDirectory(spool)), ...PLACES]
  return [...new Set(all.filter(path => path !== undefined))].filter(existsSync)
}

/** @throws with the remedy */
async function queuesOf(roots: readonly string[]): Promise<Queue[]> {
  const found: Queue[] = []
  for (const root of roots)
    try {
      for (const { name } of readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory()))
        if (name === COLLECTOR)
          for (const { target, path } of targetsIn(join(root, name)))
            found.push({ program: 'collector', for: target, directory: path, ...(await read(path)) })
        else {
          const path = join(root, name)
          found.push({
            program: 'probe',
            for: collectorOf(path),
            directory: path,
            ...(await read(path)),
          })
        }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const remedy = code === 'EACCES' ? 'run this as root' : 'give the directory with --spool'
      throw new Error(`cannot read the spool in ${root} (${code ?? (error as Error).message}): ${remedy}`)
    }
  return found
}

const EMPTY: Contents = {
  ...{ bytes: 0, records: 0, windows: 0, rows: 0, damaged: 0 },
  ...{ oldest: undefined, newest: undefined, isUsed: false, hosts: {} },
}
const read = (path: string): Promise<Contents> =>
  inspect(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return EMPTY // it is made when something waits
    throw error
  })

const MAX_LEDGER_BYTES = 2 ** 20
/** As the ledger beside it says. */
function collectorOf(path: string): string {
  try {
    return String(
      (JSON.parse(readForeign(join(path, 'ledger.json'), MAX_LEDGER_BYTES)) as { collector: unknown })
        .collector,
    )
  } catch {
    return basename(path)
  }
}

/** @returns for people */
export function textOf(queues: readonly Queue[], roots: readonly string[], now = Date.now()): string {
  if (roots.length === 0)
    return 'there is no spool on this host: give a directory with --spool, or make /var/lib/sockflux and start the programs again\n'
  if (queues.length === 0) return `nothing waits in ${roots.join(', ')}\n`
  const age = (time: number | undefined) => (time === undefined ? '' : ageOf(now - time))
  const rows = queues.map(
    ({ program, for: whom, records, windows, rows, bytes, oldest, newest, damaged, isUsed }) => [
      ...[program, whom, records, windows, rows, bytes, age(oldest), age(newest), damaged],
      isUsed ? 'in use' : '',
    ],
  )
  const hosts = queues.flatMap(({ program, hosts }) =>
    Object.entries(hosts).map(([host, { records, rows }]) => [program, host, records, rows]),
  )
  const columns = [
    'program',
    'waits for',
    'records',
    'windows',
    'rows',
    'bytes',
    'oldest',
    'newest',
    'damaged',
    '',
  ]
  const tables = [
    tableOf(columns, rows),
    ...(hosts.length > 0 ? [tableOf(['program', 'host', 'records', 'rows'], hosts)] : []),
  ]
  return `${tables.join('\n')}rows of a collector are samples, its windows batches\n`
}

/** `3 h 20 min` */
function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (minutes === 0) return `${seconds} s`
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`
}
