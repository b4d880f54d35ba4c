/** The last window of each host, and the browsers that wait for the next one. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import { idleMs } from '../ingest/probe_windows.ts'
import type { PageWindow } from './rows.ts'

const MAX_HOSTS = 1000
/** Rows of one level that are kept: of one host, and of all hosts together. */
const MAX_ROWS = 2000
const MAX_ALL_ROWS = 100_000
/** A quiet stream is not taken for a dead one, neither by us nor by a proxy. */
const QUIET_MS = 10_000

interface Last {
  readonly text: string
  /** Counts windows. */
  readonly number: number
  readonly untilMs: number
}

export class Windows {
  readonly #hosts = new BoundedMap<string, Last>(MAX_HOSTS)
  readonly #now: () => number
  #number = 0
  #next = Promise.withResolvers<void>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Rows of each level that a host may have: with more hosts it is less. */
  get mostRows(): number {
    return Math.min(MAX_ROWS, Math.floor(MAX_ALL_ROWS / Math.max(1, this.#hosts.size)))
  }

  take(window: PageWindow): void {
    const untilMs = this.#now() + idleMs(window.interval)
    this.#hosts.set(window.host, { text: JSON.stringify(window), number: ++this.#number, untilMs })
    this.#next.resolve()
    this.#next = Promise.withResolvers<void>()
  }

  /** Forgets hosts that have been silent. */
  expire(): void {
    const now = this.#now()
    for (const [host, { untilMs }] of this.#hosts) if (untilMs < now) this.#hosts.delete(host)
  }

  /**
   * Events of `text/event-stream`: the last window of each host, then each that ends. Who reads slowly misses windows, and
   * nothing waits here.
   * @param first events before them
   * @param isWelcome asked before each: the stream ends when it is not
   */
  async *events(first: string, gone: AbortSignal, isWelcome: () => boolean): AsyncGenerator<string> {
    yield first
    let seen = 0
    while (!gone.aborted && isWelcome()) {
      const next = this.#next.promise
      const since = seen
      seen = this.#number
      const windows = [...this.#hosts].filter(([, { number }]) => number > since)
      for (const [, { text }] of windows) {
        if (!isWelcome()) return
        yield eventOf('window', text)
      }
      if (windows.length === 0) await this.#wait(next, gone)
      if (windows.length === 0 && seen === this.#number) yield ': quiet\n\n'
    }
  }

  async #wait(next: Promise<void>, gone: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = () => resolve()
    const timer = setTimeout(stop, QUIET_MS)
    gone.addEventListener('abort', stop, { once: true })
    await Promise.race([next, promise])
    gone.removeEventListener('abort', stop)
    clearTimeout(timer)
  }
}

/** @param json on one line */
export const eventOf = (name: string, json: string): string => `event: ${name}\ndata: ${json}\n\n`
