/** Where spools are: what `--spool` says, else the state directory of the service, else that of the host if it is ours. */

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { foreignOwner, STATE } from '../process/foreign.ts'

/** Instead of a directory: what waits is in memory alone. */
export const OFF = 'off'
/** Below the directory, the part of the collector; the others are queues of the probe. */
export const COLLECTOR = 'collector'

/** @returns undefined without a spool */
export function spoolDirectory(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  state = STATE,
): string | undefined {
  if (given !== undefined) return given === OFF ? undefined : given
  // systemd.exec(5): several are separated by colons
  const [own] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (own) return join(own, 'spool')
  return foreignOwner(state) === undefined && isWritable(state) ? join(state, 'spool') : undefined
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
