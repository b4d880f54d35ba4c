/** Where the spool is: what `--spool` says, else the state directory of the service, else that of the host. */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

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
