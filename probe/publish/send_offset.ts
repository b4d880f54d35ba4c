/**
 * When in each window a host begins to send. The windows of all hosts end at the same moment. If all hosts sent at once,
 * a collector would have to hold the rows of a thousand hosts. So each host waits for its own offset in the first part
 * of the next window. The offset follows from its name and is the same each time.
 */

import { createHash } from 'node:crypto'

export class SendOffset {
  readonly intervalMs: number
  /** How long after the end of a window this host sends. */
  readonly delayMs: number
  readonly #now: () => number

  /**
   * @param spread seconds over which the hosts are spread; at most half the interval
   * @param interval seconds; windows end at multiples of it
   * @param now milliseconds since the epoch
   */
  constructor(host: string, spread: number, interval: number, now: () => number = Date.now) {
    this.intervalMs = interval * 1000
    this.delayMs = Math.min(spread, interval / 2) * 1000 * shareOf(host)
    this.#now = now
  }

  /** Milliseconds until this host may send; 0 when it may. */
  waitMs(): number {
    return Math.max(0, this.delayMs - (this.#now() % this.intervalMs))
  }
}

/** From 0 to 1, evenly over all names. */
const shareOf = (host: string): number => createHash('sha256').update(host).digest().readUInt32LE() / 2 ** 32
