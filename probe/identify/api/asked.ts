/**
 * A runtime that has to be asked, in the background: what it said last is what is known. One question at a time, each
 * with an end; after a failure the next one waits, longer each time. A runtime that hangs or talks nonsense delays nobody.
 */

import type { Described, Running, Source } from '../source.ts'

export interface Answer {
  readonly containers: ReadonlyMap<string, Described>
  readonly running: readonly Running[]
}

/** Something to ask. */
export interface Runtime {
  /** For counters: `cri`, `docker`. */
  readonly name: string
  /** Milliseconds that lie between two questions at least. */
  readonly gapMs: number
  /** Whether it seems to be there at all: nothing is asked and nothing counted where it is not. */
  exists(): boolean
  /** @throws any error; a NonsenseError when the answer is none */
  ask(signal: AbortSignal): Promise<Answer>
  /** Call back when it tells by itself that something changed, if it can. */
  watch?(changed: () => void): void
  close(): void
}

/** What a runtime answered is not what it should have. */
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
  /** Questions without an answer, by reason. */
  readonly failed: Record<string, number> = {}
  /** Questions with one. */
  answered = 0
  readonly #runtime: Runtime
  readonly #now: () => number
  #answer: Answer = { containers: new Map(), running: [] }
  /** Of the last question that has been answered or has failed. */
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

  /** Ask as soon as may be; several wishes are one question. */
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

/** A promise that ends with the signal, also where the one who made it forgets to. */
function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise.then(resolve, reject)
  })
}
