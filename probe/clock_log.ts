/** Warns of windows that are not whole because of the clock or a late probe, at the end of the window. */

import type { Window, Windows } from './read/window.ts'

type Counts = Pick<Windows, 'clockSet' | 'clockUnset' | 'stretched' | 'skipped'>

export class ClockLog {
  readonly #windows: Counts
  readonly #intervalS: number
  readonly #log: { warn(reason: string, message: string): void }
  #before: Counts

  /**
   * @param windows counts since the start
   * @param intervalS seconds
   * @param log throttled by reason
   */
  constructor(windows: Counts, intervalS: number, log: { warn(reason: string, message: string): void }) {
    this.#windows = windows
    this.#intervalS = intervalS
    this.#log = log
    this.#before = countsOf(windows)
  }

  /** This window has ended. */
  ended({ time, startNs, endNs }: Pick<Window, 'time' | 'startNs' | 'endNs'>): void {
    const before = this.#before
    const now = countsOf(this.#windows)
    this.#before = now
    const label = labelOf(time)
    const seconds = Number((endNs - startNs) / 100_000_000n) / 10
    if (now.clockUnset > before.clockUnset)
      this.#log.warn(
        'clock_unset',
        `the clock says ${label}, it was never set; windows are shown and not stored until it is set`,
      )
    if (now.clockSet > before.clockSet)
      this.#log.warn(
        'clock_set',
        `the clock of this host was set (the window ended at ${label}); the next windows follow the new clock`,
      )
    if (now.stretched > before.stretched)
      this.#log.warn(
        'stretched',
        `the window until ${label} lasted ${seconds} s instead of ${this.#intervalS} s (the probe was stopped or had no CPU time, or the clock was set back); it is shown and not stored`,
      )
    if (now.skipped > before.skipped)
      this.#log.warn(
        'skipped',
        `${now.skipped - before.skipped} windows after ${label} are skipped (the probe was late); their flows are in the window before them`,
      )
  }
}

const countsOf = ({ clockSet, clockUnset, stretched, skipped }: Counts): Counts => ({
  clockSet,
  clockUnset,
  stretched,
  skipped,
})

/** ISO 8601, or the number where no date is so late. */
function labelOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace('.000Z', 'Z')
}
