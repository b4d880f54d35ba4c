/** `sockflux run`: probe and collector as two processes, and the live table until somebody quits. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { collectorSettings } from '../collector/options.ts'
import { type SinkOptions, wantedSinks } from '../collector/sinks/open.ts'
import { stopping } from '../wire/process/signals.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { Children } from './children.ts'
import { ask, print } from './client.ts'
import { PageLink, pageAddress } from './page.ts'
import { watch } from './top/live.ts'
import { State } from './top/state.ts'

const { socket, store, influxUrl, http } = collectorSettings
/** The command as the user typed it: `build/sockflux` in a clone. */
const COMMAND = process.env['SOCKFLUX_COMMAND'] ?? 'sockflux'
/** Ample for a collector whose socket was closed to be gone. */
const ENDING_MS = 2000
/** The views of flows and peers are part of the table. */
const DEFAULTS = { SOCKFLUX_FLOWS: 'true' }

/** A command to try in another terminal: one that works with these sinks. */
function next(options: SinkOptions & { readonly socket: string }): string {
  const word = wantedSinks(options).some(({ answersQueries }) => answersQueries) ? 'query' : 'top --json'
  const place = options.socket === socket.fallback ? '' : ` --socket ${options.socket}`
  return `${COMMAND} ${word}${place}`
}

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
    await run(values.socket, next(values), { ...flags, ...where })
  })
}

async function run(path: string, next: string, flags: Readonly<Record<string, unknown>>): Promise<void> {
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
      return value === undefined ? [] : [value].flat().flatMap(one => [`--${name}`, String(one)])
    })
  children.start('collector', pass(['config', 'socket', 'store', 'influx-url', 'http']), DEFAULTS)
  children.start('probe', [...pass(['config', 'interval']), '--send-offset', '0']) // no other host sends to this collector
  await print(process.stdout, 'starting probe and collector …\n')
  try {
    await answering(path, stopped.signal)
    const link = new PageLink()
    void link.follow(path, stopped.signal)
    if (!stopped.signal.aborted)
      await watch({
        ...{ socket: path, state: new State(), stopped: stopped.signal, next },
        quit: () => stopped.abort(),
        notes: () => [...children.notes, ...link.lines],
      })
  } catch (error) {
    // a collector that ends closes its socket first: why it ended says more than that
    await sleep(ENDING_MS, undefined, { signal: stopped.signal }).catch(() => {})
    if (!stopped.signal.aborted) throw error
  } finally {
    stopped.abort()
    if (process.stdout.isTTY) await print(process.stdout, 'stopping …\n')
    await children.stop('probe')
    await children.stop('collector')
    children.close()
  }
  if (failed) throw new Error(`the ${failed} ended:\n  ${children.notes.join('\n  ') || 'no log output'}`)
  await print(process.stdout, '\nstopped\n')
}

async function answering(socket: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const isThere = ({ status }: { status: number | undefined }) => status === 200
    if (await ask(socket, 'GET', '/top').then(isThere, () => false)) return
    await sleep(100, undefined, { signal: stopped }).catch(() => {})
  }
}
