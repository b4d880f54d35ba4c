/** What the collector does, as one line for the service manager. */

import type { SelfTotals } from './counters.ts'

export class Progress {
  #rows = 0

  /** @param totals since the start */
  since({ stats: { probes, rows, series, waiting } }: SelfTotals, seconds: number): string {
    const risen = rows - this.#rows
    this.#rows = rows
    return `probes: ${probes}; rows in ${seconds} s: ${risen}; series: ${series}; samples that wait for a sink: ${waiting}`
  }
}
