/** The last window of each host, for people who watch. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { Folded } from '../ingest/folded.ts'
import { idleMs } from '../ingest/probe_windows.ts'
import { LastWindow, NOBODY_WAITS, type Waiting } from '../view/last_window.ts'
import type { TopHost } from '../view/rows.ts'

/** Watchers ask every second; after so long without one, processes are not counted any more. */
const WATCHED_MS = 30_000
const MAX_HOSTS = 1000
/** Rows of one level: of one host, and of all hosts together. */
const MAX_ROWS = 1000
const MAX_ALL_ROWS = 100_000

interface Known {
  readonly window: LastWindow
  readonly top: TopHost
  readonly untilMs: number
}

export class Top {
  readonly #hosts = new BoundedMap<string, Known>(MAX_HOSTS)
  readonly #waiting: (host: string) => Waiting
  readonly #now: () => number
  #askedMs = Number.NEGATIVE_INFINITY

  /** @param waiting who waits for an answer on a host, as of now */
  constructor(
    waiting: (host: string) => Waiting = () => NOBODY_WAITS,
    now: () => number = () => performance.now(),
  ) {
    this.#waiting = waiting
    this.#now = now
  }

  isWatched(): boolean {
    return this.#now() - this.#askedMs < WATCHED_MS
  }

  take(folded: Folded): void {
    const { host } = folded.key
    const window = this.#hosts.peek(host)?.window ?? new LastWindow()
    const most = Math.min(MAX_ROWS, Math.floor(MAX_ALL_ROWS / Math.max(1, this.#hosts.size)))
    this.#hosts.set(host, {
      window,
      top: window.take(folded, most, this.#waiting(host)),
      untilMs: this.#now() + idleMs(folded.interval),
    })
  }

  /** Processes are counted from now on, for a while. */
  view(): readonly TopHost[] {
    this.#askedMs = this.#now()
    return [...this.#hosts.values()].map(({ top }) => top)
  }

  /** Forgets hosts that have been silent. */
  expire(): void {
    const now = this.#now()
    for (const [host, { untilMs }] of this.#hosts) if (untilMs < now) this.#hosts.delete(host)
  }
}
