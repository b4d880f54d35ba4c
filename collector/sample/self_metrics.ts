/** The collector's metrics of itself, as a window of its own at each multiple of ten seconds. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Batch } from '../batch.ts'
import type { SelfTotals } from '../counters.ts'
import { Fold } from '../fold/fold.ts'
import type { Folded } from '../ingest/folded.ts'
import type { CollectorStats } from '../metrics/flat.ts'
import { lostRows } from './flat_rows.ts'
import type { Sampler } from './sampler.ts'

/** Seconds. */
export const SELF_INTERVAL = 10

/** Counted since the start; of these the window's share is written. */
const RISING = ['messages', 'rows', 'written', 'cpu_us'] as const satisfies (keyof CollectorStats)[]

export class SelfMetrics {
  readonly #sampler: Sampler
  readonly #totals: () => SelfTotals
  readonly #key = {
    host: hostname(),
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    probe: `collector ${randomBytes(8).toString('hex')}`,
  }
  #before: SelfTotals | undefined
  #window = 0
  #time = 0

  constructor(sampler: Sampler, totals: () => SelfTotals) {
    this.#sampler = sampler
    this.#totals = totals
  }

  /**
   * @param seconds since the epoch
   * @returns undefined while the last window's time has not passed, or when these metrics are not wanted
   */
  next(seconds: number): Batch | undefined {
    const time = Math.floor(seconds / SELF_INTERVAL) * SELF_INTERVAL
    if (time <= this.#time) return undefined
    const totals = this.#totals()
    const before = this.#before
    const stats = { ...totals.stats }
    for (const name of RISING) stats[name] -= before?.stats[name] ?? 0
    const lost = Object.entries(totals.lost)
      .map(([reason, count]) => [reason, count - (before?.lost[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0)
    const window: Folded = {
      key: { ...this.#key, window: this.#window++ },
      ...{ time, partial: false, complete: true, interval: SELF_INTERVAL, lost: {}, fold: new Fold() },
    }
    const batch = this.#sampler.sampleSelf(window, {
      collector_stats: [{ tags: {}, numbers: stats }],
      collector_lost: lostRows(Object.fromEntries(lost)),
    })
    this.#before = totals
    this.#time = time
    return batch.samples.length > 0 ? batch : undefined
  }
}
