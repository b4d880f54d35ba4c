/** Rows out of the kernel, window by window: the pass at each end, the rings in between, and where each row belongs. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Rows } from '../../wire/layout.ts'
import type { Flows, Pass } from '../signals/flows.ts'
import { Records } from './records.ts'
import { Router } from './route.ts'
import { RttSums, type TotalsKernel } from './rtt_sums.ts'
import { type Clock, type Window, Windows } from './window.ts'

/** What is needed of the kernel here. */
export interface ReaderKernel extends TotalsKernel {
  readonly flows: readonly Flows[]
  /** Hands over what the rings hold now. */
  drain(): void
  report(flows: Flows, endNs: bigint, pass: Pass): AsyncIterable<Rows>
}

/** Rows of one window, good until the next batch, or, without rows, its end. */
export interface Batch {
  readonly window: Window
  readonly rows: Rows | undefined
}

/** How often the rings are emptied when nothing wakes us, which a ring does that is half full. */
const DRAIN_MS = 100
/** A hook that was interrupted between claiming its slot and submitting its record has done so by then. */
const CLOSING_MS = 2
/** As many as a page of the pass has of whole rows. */
const BATCH_ROWS = 4096

/** Records of one ring that wait for the window's end, or for a batch to be full. */
class Stream {
  readonly flows: Flows
  readonly router: Router
  /** Records of the running window, all closed before its end. */
  readonly running = new Records()
  /** Records read when the window's end had passed already; the router tells them apart after the pass. */
  readonly pending = new Records()

  constructor(flows: Flows) {
    this.flows = flows
    this.router = new Router(flows.layout, flows.tellsClose)
  }

  *batches(window: Window, all: Buffer): Generator<Batch> {
    const { layout } = this.flows
    const size = BATCH_ROWS * layout.size
    for (let at = 0; at < all.length; at += size)
      yield { window, rows: { layout, bytes: all.subarray(at, at + size) } }
  }
}

export class Reader {
  readonly windows: Windows
  /** Flows that the pass found dead; the kernel counts the skipped events as recursion_misses. */
  missed = 0
  /** Flows of the last window whose owner is a guess. */
  guessed = 0
  readonly #kernel: ReaderKernel
  readonly #clock: Clock
  readonly #streams: readonly Stream[]
  readonly #totals: RttSums
  readonly #stopped = new AbortController()

  constructor(kernel: ReaderKernel, clock: Clock, interval: number) {
    this.#kernel = kernel
    this.#clock = clock
    this.#streams = kernel.flows.map(flows => new Stream(flows))
    this.#totals = new RttSums(kernel)
    this.windows = new Windows(clock, interval)
  }

  /** A ring's records, as the kernel hands them over. @param records copied */
  take(ring: string, records: Buffer): void {
    const stream = this.#streams.find(({ flows }) => flows.layout.name === ring)
    const ended = this.#clock.bootNs() >= this.windows.current.endNs
    ;(ended ? stream?.pending : stream?.running)?.push(records)
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Every row of every window, in order, each window closed by its end; when stopped, what is left as a partial one. */
  async *read(): AsyncGenerator<Batch> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await sleep(Math.min(DRAIN_MS, this.windows.waitMs()), undefined, { signal }).catch(() => {})
      if (signal.aborted) break
      this.#kernel.drain()
      for (const stream of this.#streams) yield* this.#full(stream)
      const ended = this.windows.next()
      if (ended) yield* this.#end(ended)
    }
    yield* this.#end(this.windows.cut())
  }

  /** Rows of the running window, once they make a batch: what waits in memory is bounded by the queue behind. */
  *#full(stream: Stream): Generator<Batch> {
    if (stream.running.length >= BATCH_ROWS * stream.flows.layout.size)
      yield* stream.batches(this.windows.current, stream.running.take())
  }

  async *#end(window: Window): AsyncGenerator<Batch> {
    const pass: Pass = { closing: 0, missed: 0, guessed: 0 }
    // of all streams before the first pass: what comes during it may be of the next window
    const closed = this.#streams.map(({ running }) => running.take())
    for (const [index, stream] of this.#streams.entries()) {
      yield* stream.batches(window, closed[index]!)
      for await (const rows of this.#kernel.report(stream.flows, window.endNs, pass)) {
        this.#kernel.drain() // the names of these rows
        yield { window, rows }
      }
    }
    this.missed += pass.missed
    this.guessed = pass.guessed
    if (pass.closing > 0) await sleep(CLOSING_MS)
    const totals = this.#totals.rows(window.endNs)
    this.#kernel.drain()
    for (const rows of totals) yield { window, rows }
    const later: [string, Buffer][] = []
    for (const stream of this.#streams) {
      const late = Buffer.concat([stream.pending.take(), stream.running.take()])
      const { ended, next } = stream.router.split(late, window.endNs)
      yield* stream.batches(window, Buffer.concat(ended))
      if (next.length > 0) later.push([stream.flows.layout.name, Buffer.concat(next)])
    }
    yield { window, rows: undefined }
    for (const [ring, records] of later) this.take(ring, records) // late, they may reach beyond the next end, too
  }
}
