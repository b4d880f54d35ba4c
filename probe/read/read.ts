/** Reads rows from the kernel, window by window: the pass at each end, the rings in between, and the window of each row. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Rows } from '../../wire/layout.ts'
import type { Flows, Pass } from '../signals/flows.ts'
import { Records } from './records.ts'
import { Router } from './route.ts'
import { RttSums, type TotalsKernel } from './rtt_sums.ts'
import { type Clock, type Window, Windows } from './window.ts'

/** What the reader needs of the kernel. */
export interface ReaderKernel extends TotalsKernel {
  readonly flows: readonly Flows[]
  /** Delivers the records that are in the rings now. */
  drain(): void
  report(flows: Flows, endNs: bigint, pass: Pass): AsyncIterable<Rows>
  /** Names the owners of connections that were accepted and not used. */
  findUsers(): Promise<void>
}

/** Rows of one window, valid until the next batch; without rows: its end. */
export interface Batch {
  readonly window: Window
  readonly rows: Rows | undefined
}

/** The rings are read this often; a ring that is half full wakes the reader earlier. */
const DRAIN_MS = 100
/** A hook that was interrupted between the claim of its slot and the submit of its record has finished by then. */
const CLOSING_MS = 2
/** As many whole rows as a page of the pass has. */
const BATCH_ROWS = 4096

/** Records of one ring that wait for the window's end, or for a full batch. */
class Stream {
  readonly flows: Flows
  /** Undefined when all rows come from the pass. */
  readonly router: Router | undefined
  /** Records of the running window, all closed before its end. */
  readonly running = new Records()
  /** Records read after the window's end; the router assigns them to windows after the pass. */
  readonly pending = new Records()

  constructor(flows: Flows) {
    this.flows = flows
    const { layout, tellsClose } = flows
    this.router = tellsClose === undefined ? undefined : new Router(layout, tellsClose)
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
  /** Flows that the pass found closed; the kernel counts the skipped events as recursion_misses. */
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

  /** Takes a ring's records from the kernel. @param records copied */
  take(ring: string, records: Buffer): void {
    const stream = this.#streams.find(({ flows }) => flows.layout.name === ring)
    const ended = this.#clock.bootNs() >= this.windows.current.endNs
    ;(ended ? stream?.pending : stream?.running)?.push(records)
  }

  losses() {
    return { 'kernel/close_missed': this.missed, ...this.windows.lost() }
  }

  figures() {
    return { guessed_flows: this.guessed }
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Every row of every window, in order, each window closed by its end; after a stop the rest as a partial window. */
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

  /** Rows of the running window, when they fill a batch: the queue behind bounds what waits in memory. */
  *#full(stream: Stream): Generator<Batch> {
    if (stream.running.length >= BATCH_ROWS * stream.flows.layout.size)
      yield* stream.batches(this.windows.current, stream.running.take())
  }

  async *#end(window: Window): AsyncGenerator<Batch> {
    const pass: Pass = { closing: 0, missed: 0, guessed: 0, unused: 0 }
    // of all streams before the first pass: records that come during it may be of the next window
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
    if (pass.unused > 0) await this.#kernel.findUsers()
    if (pass.closing > 0) await sleep(CLOSING_MS)
    const totals = this.#totals.rows(window.endNs)
    this.#kernel.drain()
    for (const rows of totals) yield { window, rows }
    const later: [string, Buffer][] = []
    for (const stream of this.#streams) {
      if (!stream.router) continue
      const late = Buffer.concat([stream.pending.take(), stream.running.take()])
      const { ended, next } = stream.router.split(late, window.endNs)
      yield* stream.batches(window, Buffer.concat(ended))
      if (next.length > 0) later.push([stream.flows.layout.name, Buffer.concat(next)])
    }
    yield { window, rows: undefined }
    for (const [ring, records] of later) this.take(ring, records) // when the reader is late, they may belong to a later window still
  }
}
