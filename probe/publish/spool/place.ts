/** The directory of one queue in the spool. */

import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** By its collector, or of all when one of them gets each window. */
export function queueDirectory(spool: string, collector: string | undefined): string {
  if (collector === undefined) return join(spool, 'one')
  const hash = createHash('sha256').update(collector).digest('hex').slice(0, 8)
  return join(spool, `${collector.replace(/[^A-Za-z0-9.]+/g, '-').slice(0, 64)}-${hash}`)
}
