/** Whether windows flow, and what the last one had: for the service manager. */

import type { PublisherStats } from './publish/publish.ts'
import type { Window } from './read/window.ts'

/** Intervals without the end of a window that are a fault; a late reader joins two windows. */
const QUIET_INTERVALS = 3
/** For a machine that has more to do than this. */
const SLACK_MS = 10_000

/** `rows` since the start. */
type Figures = Pick<PublisherStats, 'rows' | 'waiting' | 'bytes'>

export class Progress {
  readonly #quietMs: number
  readonly #now: () => number
  #endedMs: number
  #rows = 0

  /**
   * @param interval seconds
   * @param now milliseconds that only rise
   */
  constructor(interval: number, now: () => number = () => performance.now()) {
    this.#quietMs = QUIET_INTERVALS * interval * 1000 + SLACK_MS
    this.#now = now
    this.#endedMs = now()
  }

  /** The window was given to the publisher. @returns one line about it */
  ended({ time }: Window, { rows, waiting, bytes }: Figures): string {
    this.#endedMs = this.#now()
    const risen = rows - this.#rows
    this.#rows = rows
    const at = new Date(time * 1000).toISOString().slice(11, 19)
    const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`
    return `window until ${at} UTC: ${risen} rows; messages that wait for a collector: ${waiting}, ${size}`
  }

  /** What does not go on, or undefined. */
  fault(): string | undefined {
    const quietMs = this.#now() - this.#endedMs
    return quietMs > this.#quietMs ? `no window has ended for ${Math.round(quietMs / 1000)} s` : undefined
  }
}
