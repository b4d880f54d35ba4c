/** Where the spool is: what `--spool` says, else the state directory of the service, else that of the host. */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Logger } from 'pino'

export const OFF = 'off'
/** Made by a package, or by hand. */
const STATE = '/var/lib/sockflux'

/** @returns undefined without a spool */
export function spoolDirectory(
  given: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  state = STATE,
): string | undefined {
  if (given !== undefined) return given === OFF ? undefined : given
  // systemd.exec(5): several are separated by colons
  const [own] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (own) return join(own, 'spool')
  return existsSync(state) ? join(state, 'spool') : undefined
}

/** The directory of one queue: by its collector, or of all when one of them gets each window. */
export function queueDirectory(spool: string, collector: string | undefined): string {
  if (collector === undefined) return join(spool, 'one')
  const hash = createHash('sha256').update(collector).digest('hex').slice(0, 8)
  return join(spool, `${collector.replace(/[^A-Za-z0-9.]+/g, '-').slice(0, 64)}-${hash}`)
}

/** A queue whose collector is not given any more: nobody sends what is in it. */
export async function warnOfOthers(spool: string, own: readonly string[], log: Logger): Promise<void> {
  const names = new Set(own.map(path => basename(path)))
  const entries = await readdir(spool, { withFileTypes: true }).catch(() => [])
  for (const { name } of entries.filter(entry => entry.isDirectory() && !names.has(entry.name))) {
    const files = await readdir(join(spool, name), { recursive: true }).catch(() => [])
    if (files.some(file => file.endsWith('.seg')))
      log.warn(
        { reason: 'spool_unused', directory: join(spool, name) },
        'the spool has windows for a collector that is not among --collector: name it again, or remove the directory',
      )
  }
}
