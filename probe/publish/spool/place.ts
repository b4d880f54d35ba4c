/** The directory of one queue in the spool. */

import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Logger } from 'pino'
import { COLLECTOR } from '../../../wire/spool/place.ts'

/** By its collector, or of all when one of them gets each window. */
export function queueDirectory(spool: string, collector: string | undefined): string {
  if (collector === undefined) return join(spool, 'one')
  const hash = createHash('sha256').update(collector).digest('hex').slice(0, 8)
  return join(spool, `${collector.replace(/[^A-Za-z0-9.]+/g, '-').slice(0, 64)}-${hash}`)
}

/** A queue whose collector is not given any more: nobody sends what is in it. */
export async function warnOfOthers(spool: string, own: readonly string[], log: Logger): Promise<void> {
  const names = new Set([COLLECTOR, ...own.map(path => basename(path))])
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
