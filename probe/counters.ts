/** What the parts of the probe count: heads and `probe_stats` carry it to the collector. */

import type { HostRow } from '../wire/host_records.ts'
import type { Losses } from '../wire/message.ts'
import { rssBytes } from '../wire/process/guarded.ts'
import { droppedLines } from '../wire/process/log.ts'

type Figures = Partial<HostRow<'probe_stats'>>

/** A part of the probe that counts. */
export interface Counted {
  /** What it lost since the start, by `stage/reason`; `wire/losses.ts` explains each. */
  losses?(): Losses
  /** What it did since the start, or has now: columns of `probe_stats`. */
  figures?(): Figures
}

export class Counters {
  readonly #parts: Counted[] = []

  add(...parts: readonly Counted[]): void {
    this.#parts.push(...parts)
  }

  /** Counts of 0 are left out. */
  lost(): Losses {
    const counts = this.#parts.flatMap(part => Object.entries(part.losses?.() ?? {}))
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  /** Columns that no part has are left out. */
  all(): Figures {
    return Object.assign({}, ...this.#parts.map(part => part.figures?.()))
  }
}

/** What the process costs, and the lines of its log that could not be written. */
export const costs: Counted = {
  losses: () => ({ 'log/dropped': droppedLines() }),
  figures() {
    const { user, system } = process.cpuUsage()
    return { user_us: user, system_us: system, rss_bytes: rssBytes() }
  },
}
