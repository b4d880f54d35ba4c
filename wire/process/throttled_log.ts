import type { Logger } from 'pino'

const MINUTE_MS = 60_000

/** One warning per reason and minute: the first at once, the others as a number on the next one. */
export class ThrottledLog {
  readonly #log: Logger
  readonly #now: () => number
  readonly #reasons = new Map<string, { until: number; suppressed: number }>()

  /** @param now milliseconds that only rise */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  warn(reason: string, message: string): void {
    const now = this.#now()
    const last = this.#reasons.get(reason)
    if (last && now < last.until) {
      last.suppressed++
      return
    }
    this.#reasons.set(reason, { until: now + MINUTE_MS, suppressed: 0 })
    this.#log.warn({ reason, ...(last?.suppressed ? { suppressed: last.suppressed } : {}) }, message)
  }
}
