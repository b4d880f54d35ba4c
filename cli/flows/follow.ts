/** Records as they come, each once. */

import type { Row } from './columns.ts'

/** Windows of several hosts come one after the other. */
const LATE_S = 60
/** A probe is gone after ten minutes, or three windows; its records bear the time of the last one. */
const GONE_S = 15 * 60

export class Follow {
  readonly #began: number
  /** Keys of what came, with their time. */
  readonly #known = new Map<string, number>()
  #since: number
  #isFirst = true

  /** @param since seconds since the epoch */
  constructor(since: number) {
    this.#began = since
    this.#since = since
  }

  /** What to ask for. @param now seconds since the epoch */
  range(now: number): { readonly since: number; readonly gone: number } {
    const since = Math.floor(this.#since)
    return { since, gone: Math.min(since, Math.floor(now - GONE_S)) }
  }

  /**
   * @param rows of the range, the newest first
   * @returns those that are new, the oldest first
   */
  take(rows: readonly Row[], now: number): Row[] {
    const before = this.#isFirst ? this.#began : Number.NEGATIVE_INFINITY
    this.#isFirst = false
    const fresh = rows.filter(row => !this.#known.has(keyOf(row))).toReversed()
    for (const row of fresh) this.#known.set(keyOf(row), timeOf(row))
    // a clock that is ahead does not hide the others
    const last = fresh.reduce((last, row) => Math.max(last, Math.min(timeOf(row), now)), this.#began)
    this.#since = Math.max(this.#since, last - LATE_S)
    for (const [key, time] of this.#known)
      if (time < Math.min(this.#since, now - GONE_S) - LATE_S) this.#known.delete(key)
    return fresh.filter(row => timeOf(row) >= before)
  }
}

const keyOf = ({ id, time }: Row): string => `${id} ${time}`
const timeOf = ({ time }: Row): number => Date.parse(String(time)) / 1000
