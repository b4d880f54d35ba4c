/**
 * A runtime that is asked in the background; its last answer is used. One request at a time, each with a timeout. After a
 * failure the next request waits, longer each time. A runtime that hangs or sends nonsense delays nothing.
 */

import type { Described, Running, Source } from '../source.ts'

export interface Answer {
  readonly containers: ReadonlyMap<string, Described>
  readonly running: readonly Running[]
}

/** A runtime with an API. */
export interface Runtime {
  /** For counters: `cri`, `docker`. */
  readonly name: string
  /** Least milliseconds between two requests. */
  readonly gapMs: number
  /** Whether it seems to exist: else it is not asked, and nothing is counted. */
  exists(): boolean
  /** @throws any error; a NonsenseError when the answer is none */
  ask(signal: AbortSignal): Promise<Answer>
  /** Calls back when the runtime reports a change, if it can. */
  watch?(changed: () => void): void
  close(): void
}

/** The answer of a runtime is not valid. */
export class NonsenseError extends Error {
  override name = 'NonsenseError'
}

export const TIMEOUT_MS = 2000
const FIRST_WAIT_MS = 1000
const LAST_WAIT_MS = 60_000
/** Of one runtime: a node has some hundred. */
const MAX_CONTAINERS = 16_384

/** One word for the counter: by our own error, Node's error code or gRPC's status (grpc/doc/statuscodes.md). */
function reasonOf(error: unknown): string {
  const { name, code } = error as { name?: string; code?: string | number }
  if (name === 'NonsenseError' || name === 'SyntaxError') return 'nonsense'
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR' || code === 4) return 'timeout'
  if (code === 'EACCES' || code === 'EPERM' || code === 7 || code === 16) return 'denied'
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 14) return 'unavailable'
  return 'failed'
}

export class Asked implements Source {
  /** Failed requests, by reason. */
  readonly failed: Record<string, number> = {}
  /** Requests with an answer. */
  answered = 0
  readonly #runtime: Runtime
  readonly #now: () => number
  #answer: Answer = { containers: new Map(), running: [] }
  /** Start of the last request that was answered or has failed. */
  #heardMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY
  #waitMs = 0
  #asking = false
  #again: NodeJS.Timeout | undefined
  readonly #closed = new AbortController()

  /** @param now milliseconds that only rise */
  constructor(runtime: Runtime, now: () => number = () => performance.now()) {
    this.#runtime = runtime
    this.#now = now
  }

  get name(): string {
    return this.#runtime.name
  }

  find(id: string): Described | undefined {
    return this.#answer.containers.get(id)
  }

  running(): readonly Running[] {
    return this.#answer.running
  }

  hasHeard(sinceMs: number): boolean {
    return this.#heardMs >= sinceMs || this.#waitMs > 0 || !this.#runtime.exists()
  }

  /** Asks as soon as the gap allows; several calls are one request. */
  refresh(): void {
    if (this.#again || this.#closed.signal.aborted || !this.#runtime.exists()) return
    const waitMs = Math.max(this.#askedMs + Math.max(this.#runtime.gapMs, this.#waitMs) - this.#now(), 0)
    this.#again = setTimeout(() => {
      if (this.#asking) return // the one running began before this wish: it asks again when it ends
      this.#again = undefined
      void this.#ask()
    }, waitMs).unref()
  }

  close(): void {
    this.#closed.abort()
    clearTimeout(this.#again)
    this.#runtime.close()
  }

  async #ask(): Promise<void> {
    const askedMs = this.#now()
    this.#asking = true
    this.#askedMs = askedMs
    try {
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(TIMEOUT_MS)])
      const answer = await within(signal, this.#runtime.ask(signal))
      if (answer.containers.size > MAX_CONTAINERS) throw new NonsenseError('too many containers')
      this.#answer = answer
      this.answered++
      this.#waitMs = 0
      this.#runtime.watch?.(() => this.refresh())
    } catch (error) {
      const reason = reasonOf(error)
      if (!this.#closed.signal.aborted) this.failed[reason] = (this.failed[reason] ?? 0) + 1
      this.#waitMs = Math.min(LAST_WAIT_MS, Math.max(FIRST_WAIT_MS, this.#waitMs * 2))
    }
    this.#heardMs = askedMs
    this.#asking = false
    if (!this.#again) return
    clearTimeout(this.#again)
    this.#again = undefined
    this.refresh()
  }
}

/** A promise that ends with the signal, even where its maker ignores the signal. */
function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise.then(resolve, reject)
  })
}
