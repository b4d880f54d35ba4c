/**
 * Ranks the collectors for a host: highest random weight (Thaler and Ravishankar, "A name-based mapping scheme for
 * rendezvous", 1996). The first gets its windows, the others stand by. Hosts with the same list rank alike without
 * coordination. A collector that is added or removed moves only the hosts that it gets or had.
 */

import { createHash } from 'node:crypto'

/** @returns each endpoint once, the first choice first */
export function ranked(host: string, endpoints: readonly string[]): string[] {
  const weights = new Map(endpoints.map(endpoint => [endpoint, weightOf(host, endpoint)]))
  return [...weights].sort(([, a], [, b]) => (a < b ? 1 : -1)).map(([endpoint]) => endpoint)
}

const weightOf = (host: string, endpoint: string): string =>
  createHash('sha256')
    .update(JSON.stringify([host, endpoint]))
    .digest('hex')
