/** Where programs keep what outlives them. */

import { accessSync, constants } from 'node:fs'

/** What a package or `make install` makes; it is not made by a program. */
const DEFAULT = '/var/lib/sockflux'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The directory that systemd made for this unit (`StateDirectory=`), else `/var/lib/sockflux` where that is there and
 * can be written to.
 * @returns undefined when there is none: what waits is kept in memory
 */
export function stateDirectory(env: Env = process.env, fallback = DEFAULT): string | undefined {
  const [given] = (env['STATE_DIRECTORY'] ?? '').split(':') // of several the first
  if (given) return given
  try {
    accessSync(fallback, constants.W_OK | constants.X_OK)
    return fallback
  } catch {
    return undefined
  }
}
