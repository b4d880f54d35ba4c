/**
 * When in each window a host begins to send. The windows of all hosts end at the same moment. If all hosts sent at once,
 * a collector would have to hold the rows of a thousand hosts. So each host waits for its own offset in the first part
 * of the next window. The offset follows from its name and is the same each time.
 */

import { createHash } from 'node:crypto'

export class SendOffset {
  readonly intervalMs: number
  readonly #share: number
  /** Seconds over which the hosts are spread; at most half the interval. */
  spread: number
  readonly #now: () => number

  /**
   * @param interval seconds; windows end at multiples of it
   * @param now milliseconds since the epoch
   */
  constructor(host: string, spread: number, interval: number, now: () => number = Date.now) {
    this.intervalMs = interval * 1000
    this.#share = shareOf(host)
    this.spread = spread
    this.#now = now
  }

  /** How long after the end of a window this host sends. */
  get delayMs(): number {
    return Math.min(this.spread * 1000, this.intervalMs / 2) * this.#share
  }

  /** Milliseconds until this host may send; 0 when it may. */
  waitMs(): number {
    return Math.max(0, this.delayMs - (this.#now() % this.intervalMs))
  }
}

/** From 0 to 1, evenly over all names. */
const shareOf = (host: string): number => createHash('sha256').update(host).digest().readUInt32LE() / 2 ** 32
