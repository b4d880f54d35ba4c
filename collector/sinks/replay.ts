/** From disk: what a sink has not stored, a request at a time, with a pause behind each. */

import type { Backlog } from './backlog.ts'
import type { Waiting } from './waiting.ts'

/** At least so long, and as long as the request took: a sink that comes back has as much time for new windows. */
const PAUSE_MS = 50
/** When the disk cannot be read now. */
const FAILED_MS = 10_000
/** Batches of suspected hosts that are tried now; others are put back. */
const MAX_PUT_OFF = 64

export class Replay {
  readonly #backlog: Backlog
  readonly #waiting: Waiting
  readonly #samples: number
  readonly #now: () => number
  readonly #failed: (error: Error) => void
  #at = 0

  /**
   * @param samples of a request
   * @param now milliseconds that only rise
   * @param failed called when it cannot be read
   */
  constructor(
    backlog: Backlog,
    waiting: Waiting,
    samples: number,
    now: () => number,
    failed: (error: Error) => void,
  ) {
    this.#backlog = backlog
    this.#waiting = waiting
    this.#samples = samples
    this.#now = now
    this.#failed = failed
  }

  /** Milliseconds until there is something to read; undefined when nothing waits. */
  get dueMs(): number | undefined {
    const due = this.#backlog.dueMs
    return due === undefined ? undefined : Math.max(due, this.#at - this.#now())
  }

  /** Reads as much as a request takes, unless there is as much in memory already. */
  async load(): Promise<void> {
    if ((this.dueMs ?? 1) > 0) return
    let samples = this.#waiting.replayed.reduce((sum, entry) => sum + entry.samples, 0)
    while (samples < this.#samples) {
      const found = await this.#backlog.next().catch((error: Error) => {
        this.#at = this.#now() + FAILED_MS
        this.#failed(error)
      })
      if (!found) return
      const { batch, serial, alone } = found
      const count = batch.samples.reduce((sum, { count }) => sum + count, 0)
      if (!this.#waiting.isTrusted(batch) && this.#waiting.putOff.length >= MAX_PUT_OFF)
        this.#backlog.putBack(serial, alone)
      else {
        this.#waiting.add({ batch, serial, alone, samples: count, since: this.#now(), done: () => {} })
        if (this.#waiting.isTrusted(batch)) samples += count
      }
    }
  }

  /** Some of it was stored, in a request that took so long. */
  stored(ms: number): void {
    this.#at = this.#now() + Math.max(PAUSE_MS, ms)
  }
}
