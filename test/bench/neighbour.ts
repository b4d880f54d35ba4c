/** What an innocent program feels: it wants the core again after a fifth of a millisecond, over and over. */

import { loadBinary } from '../harness/binary.ts'
import { run } from '../harness/process.ts'

/** @returns ms, the p99.9 of how late it was woken */
export async function delays(ms: number): Promise<number> {
  const answer = await run([await loadBinary(), 'neighbour', String(ms)], ms + 30_000)
  return (JSON.parse(answer) as { p999_us: number }).p999_us / 1000
}
