/** What the parts of the probe count: each registers where it is made, and the heads and `probe_stats` say it. */

import type { HostRow } from '../wire/host_records.ts'
import type { Losses } from '../wire/message.ts'
import { rssBytes } from '../wire/process/guarded.ts'

type Counts<T> = () => T

export class Counters {
  readonly #losses: Counts<Losses>[] = []
  readonly #figures: Counts<Partial<HostRow<'probe_stats'>>>[] = []

  /** What was lost or mended since the start: `stage/reason`. */
  losses(counts: Counts<Losses>): void {
    this.#losses.push(counts)
  }

  /** What the probe did and took, since its start or now: columns of `probe_stats`. */
  figures(counts: Counts<Partial<HostRow<'probe_stats'>>>): void {
    this.#figures.push(counts)
  }

  /** What is 0 is left out. */
  lost(): Losses {
    const counts = this.#losses.flatMap(read => Object.entries(read()))
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  /** Columns that nobody registered are 0. */
  all(): Partial<HostRow<'probe_stats'>> {
    return Object.assign({}, ...this.#figures.map(read => read()))
  }
}

/** Of this process. */
export function processFigures() {
  const { user, system } = process.cpuUsage()
  return { user_us: user, system_us: system, rss_bytes: rssBytes() }
}
