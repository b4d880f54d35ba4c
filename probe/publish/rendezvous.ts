/**
 * Which collector is a host's own, and who stands in for it, in order: highest random weight (Thaler and Ravishankar,
 * "A name-based mapping scheme for rendezvous", 1996). Everybody who has the same list comes to the same answer without
 * asking anyone, and a collector that is added or taken away moves only the hosts that it gets or had.
 */

import { createHash } from 'node:crypto'

/** @returns each endpoint once, the host's own first */
export function ranked(host: string, endpoints: readonly string[]): string[] {
  const weights = new Map(endpoints.map(endpoint => [endpoint, weightOf(host, endpoint)]))
  return [...weights].sort(([, a], [, b]) => (a < b ? 1 : -1)).map(([endpoint]) => endpoint)
}

const weightOf = (host: string, endpoint: string): string =>
  createHash('sha256')
    .update(JSON.stringify([host, endpoint]))
    .digest('hex')
