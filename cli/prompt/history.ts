/** The questions of the last time, in a file of the user. */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const MAX_LINES = 1000
/** A query may have a name that nobody else needs to know. */
const OWNER_ONLY = { mode: 0o600 }

export const historyFile = ({ XDG_STATE_HOME }: NodeJS.ProcessEnv, home = homedir()): string =>
  join(XDG_STATE_HOME || join(home, '.local/state'), 'sockflux', 'query_history')

/** @returns the newest first, as `node:readline` wants it; none when there is no file or it cannot be read */
export function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-MAX_LINES).reverse()
  } catch {
    return []
  }
}

/** @returns false when it cannot be kept: a file system that is read-only, no home */
export function remember(file: string, line: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const lines = readHistory(file)
    if (lines.length < MAX_LINES) appendFileSync(file, `${line}\n`, OWNER_ONLY)
    else
      writeFileSync(
        file,
        [line, ...lines.slice(0, MAX_LINES - 1)].reverse().join('\n').concat('\n'),
        OWNER_ONLY,
      )
    return true
  } catch {
    return false
  }
}
