/** What the collector counts of itself. Each part knows its own counters; who shows or writes them reads them here. */

import { rssBytes } from '../wire/process/guarded.ts'
import { droppedLines } from '../wire/process/log.ts'
import type { CollectorStats } from './metrics/flat.ts'

/** A part of the collector that counts. */
export interface Counted {
  /** Its share of collector:stats: added up over all parts. */
  stats?(): Partial<CollectorStats>
  /** For collector:lost: what it lost so far, by `stage/reason`. */
  losses?(): Readonly<Record<string, number>>
  /** For `/stats` and the line at the end. */
  view?(): Readonly<Record<string, unknown>>
}

/** Counted since the start. */
export interface SelfTotals {
  readonly stats: CollectorStats
  /** By `stage/reason`. */
  readonly lost: Readonly<Record<string, number>>
}

export class Counters {
  readonly #parts: Counted[] = []

  add(...parts: readonly Counted[]): void {
    this.#parts.push(...parts)
  }

  totals(): SelfTotals {
    const stats: CollectorStats = {
      ...{ messages: 0, rows: 0, probes: 0, waiting: 0, written: 0, series: 0 },
      ...{ cpu_us: 0, rss_bytes: 0, spool_bytes: 0, spool_samples: 0, spool_age_us: 0 },
    }
    const lost: Record<string, number> = {}
    for (const part of this.#parts) {
      const own = Object.entries(part.stats?.() ?? {}) as [keyof CollectorStats, number][]
      for (const [name, value] of own) stats[name] += value
      for (const [reason, count] of Object.entries(part.losses?.() ?? {}))
        lost[reason] = (lost[reason] ?? 0) + count
    }
    return { stats, lost }
  }

  view(): Record<string, unknown> {
    return Object.assign({}, ...this.#parts.map(part => part.view?.()))
  }
}

/** CPU time and memory of the process, and log lines that could not be written. */
export const costs: Counted = {
  losses: () => ({ 'log/dropped': droppedLines() }),
  view: () => ({ log: { dropped: droppedLines() } }),
  stats() {
    const { user, system } = process.cpuUsage()
    return { cpu_us: user + system, rss_bytes: rssBytes() }
  },
}
