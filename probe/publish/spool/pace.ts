/**
 * How fast windows that have waited are sent: a collector that gets a day of them at once, from all of its hosts, would
 * drop what its sinks are too slow for. So few windows are under way, and when the sinks are away, a few in each interval.
 */

import type { Queue } from '../queue.ts'

/** Windows that were sent and are not acknowledged: a collector that answers in 250 ms gets 16 a second. */
const UNDER_WAY = 4
/** Without any answer, so many windows are sent in an interval: a sink that is away does not stop the others. */
const PER_INTERVAL = 4

export class Pace {
  readonly #queue: Queue
  readonly #leastMs: number
  readonly #wake: () => void
  readonly #now: () => number
  #window: number | undefined
  #since = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /**
   * @param intervalMs of a window
   * @param wake called when the next window may be sent
   * @param now milliseconds that only rise
   */
  constructor(
    queue: Queue,
    intervalMs: number,
    wake: () => void,
    now: () => number = () => performance.now(),
  ) {
    this.#queue = queue
    this.#leastMs = intervalMs / PER_INTERVAL
    this.#wake = wake
    this.#now = now
  }

  /** Whether the next message may be sent. */
  isOpen(): boolean {
    const next = this.#queue.upcoming
    if (next === undefined || next === this.#window) return true
    const waitMs = this.#since + this.#leastMs - this.#now()
    if (waitMs > 0 && this.#queue.underWay(UNDER_WAY) >= UNDER_WAY) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#wake()
      }, Math.ceil(waitMs))
      return false
    }
    this.#window = next
    this.#since = this.#now()
    return true
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}
