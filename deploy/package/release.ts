/** Which release is packed: its version, its time and who made it. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../runtime.ts'

export interface Release {
  readonly version: string
  readonly maintainer: string
  /** Since 1970. */
  readonly seconds: number
}

/** @throws without a commit and SOURCE_DATE_EPOCH */
export function releaseOf(version: string | undefined): Release {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  // deb-control(5): as the other tools of Debian take them
  const { DEBFULLNAME = 'Sockflux contributors', DEBEMAIL = 'contributors@sockflux.invalid' } = process.env
  return {
    version: version ?? manifest.version,
    maintainer: `${DEBFULLNAME} <${DEBEMAIL}>`,
    seconds: epoch(),
  }
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), else the time of the last commit. */
function epoch(): number {
  const given = process.env['SOURCE_DATE_EPOCH'] || lastCommit()
  if (given !== undefined && /^\d+\s*$/.test(given)) return Number(given)
  throw new Error(
    'the time of the release is unknown (no commit here): set SOURCE_DATE_EPOCH to its seconds since 1970',
  )
}

function lastCommit(): string | undefined {
  const words = ['-c', `safe.directory=${ROOT}`, 'log', '-1', '--format=%ct']
  try {
    return execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined // no git, or no clone
  }
}
