import type { Logger } from 'pino'

const MINUTE_MS = 60_000
/** Reasons that are remembered, of all hosts; beyond it the oldest may be logged twice in a minute. */
const MAX_REASONS = 4096

/** One warning per reason, host and minute: the first at once, the others as a count in the next one. */
export class ThrottledLog {
  readonly #log: Logger
  readonly #now: () => number
  readonly #reasons = new Map<string, { until: number; suppressed: number }>()

  /** @param now monotonic milliseconds */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /** @param host that the reason is about; each has its own minute */
  warn(reason: string, message: string, host = ''): void {
    const now = this.#now()
    const key = `${reason} ${host}`
    const last = this.#reasons.get(key)
    if (last && now < last.until) {
      last.suppressed++
      return
    }
    this.#reasons.delete(key)
    this.#reasons.set(key, { until: now + MINUTE_MS, suppressed: 0 })
    const [oldest] = this.#reasons.keys()
    if (oldest !== undefined && this.#reasons.size > MAX_REASONS) this.#reasons.delete(oldest)
    this.#log.warn({ reason, ...(last?.suppressed ? { suppressed: last.suppressed } : {}) }, message)
  }
}
