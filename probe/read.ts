/** Rows out of the kernel, window by window: the pass at each end, the rings in between, and where each row belongs. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kernel, Pass } from './kernel.ts'
import { Router } from './route.ts'
import { type Clock, type Window, Windows } from './window.ts'

/** Rows of one window, or, without rows, its end. */
export interface Batch {
  readonly window: Window
  readonly rows: Buffer
  readonly end: boolean
}

/** How often the ring of closed flows is emptied when nothing wakes us: 8 MB hold 100 ms of 500,000 closes a second. */
const DRAIN_MS = 100
/** A hook that was interrupted between claiming its slot and submitting its record has done so by then. */
const CLOSING_MS = 2
/** As many as a page of the pass. */
const BATCH_ROWS = 4096

const NO_ROWS = Buffer.alloc(0)

export class Reader {
  readonly windows: Windows
  /** Flows that the pass found dead; the kernel counts the skipped events as recursion_misses. */
  missed = 0
  readonly #kernel: Kernel
  readonly #clock: Clock
  readonly #router: Router
  /** Records read so far of the running window, all closed before its end. */
  readonly #running: Buffer[] = []
  /** Records read when the window's end had passed already; the router tells them apart after the pass. */
  readonly #pending: Buffer[] = []
  readonly #stopped = new AbortController()

  constructor(kernel: Kernel, clock: Clock, interval: number) {
    this.#kernel = kernel
    this.#clock = clock
    this.#router = new Router(kernel.tcpFlow)
    this.windows = new Windows(clock, interval)
  }

  /** A ring's records, as the kernel hands them over. */
  take(records: Buffer): void {
    const ended = this.#clock.bootNs() >= this.windows.current.endNs
    ;(ended ? this.#pending : this.#running).push(records)
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Every row of every window, in order, each window closed by its end, until stopped. */
  async *read(): AsyncGenerator<Batch> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await sleep(Math.min(DRAIN_MS, this.windows.waitMs()), undefined, { signal }).catch(() => {})
      if (signal.aborted) break
      this.#kernel.drain()
      yield* this.#full()
      const ended = this.windows.next()
      if (ended) yield* this.#end(ended)
    }
  }

  /** Rows of the running window, once they make a batch: what waits in memory is bounded by the queue behind. */
  *#full(): Generator<Batch> {
    const bytes = this.#running.reduce((sum, rows) => sum + rows.length, 0)
    if (bytes >= BATCH_ROWS * this.#kernel.tcpFlow.size)
      yield* this.#batches(this.windows.current, this.#running.splice(0))
  }

  async *#end(window: Window): AsyncGenerator<Batch> {
    yield* this.#batches(window, this.#running.splice(0))
    const pass: Pass = { closing: 0, missed: 0 }
    for await (const rows of this.#kernel.report(window.endNs, pass)) {
      this.#kernel.drain() // the names of these rows
      yield { window, rows, end: false }
    }
    this.missed += pass.missed
    if (pass.closing > 0) await sleep(CLOSING_MS)
    this.#kernel.drain()
    const late = Buffer.concat([...this.#pending.splice(0), ...this.#running.splice(0)])
    const { ended, next } = this.#router.split(late, window.endNs)
    yield* this.#batches(window, ended)
    yield { window, rows: NO_ROWS, end: true }
    if (next.length > 0) this.take(Buffer.concat(next)) // late, they may reach beyond the next window's end, too
  }

  *#batches(window: Window, chunks: readonly Buffer[]): Generator<Batch> {
    const all = Buffer.concat(chunks)
    const size = BATCH_ROWS * this.#kernel.tcpFlow.size
    for (let at = 0; at < all.length; at += size)
      yield { window, rows: all.subarray(at, at + size), end: false }
  }
}
