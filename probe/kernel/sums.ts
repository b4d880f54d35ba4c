/** How many sums of `tcp_total` the kernel is to have room for. */

import { cpus } from 'node:os'
import type { Layout } from 'bcc-bindings'

/** Memory for the sums, all CPUs together, and how many there are at least and at most. */
const MOST_BYTES = 64 * 2 ** 20
const [FEWEST_SUMS, MOST_SUMS] = [512, 4096]

export function roomForSums(sums: Layout): number {
  const room = Math.floor(MOST_BYTES / (sums.size * cpus().length))
  return Math.min(Math.max(room, FEWEST_SUMS), MOST_SUMS)
}
