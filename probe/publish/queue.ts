/**
 * Messages on their way to a collector, kept until their window is acknowledged. Memory is bounded by bytes; what is on
 * disk, too, leaves it first.
 *
 * In their order: those that are on disk alone, those that are in memory as well, those that are in memory alone.
 */

import type { Ack } from '../../wire/ack.ts'
import type { Identity, Losses, WindowKey } from '../../wire/message.ts'
import { Ledger, type Reason } from './ledger.ts'
import { Runs } from './spool/runs.ts'

export interface Queued {
  /** Counted from 0 over the run; those of runs before are below 0. */
  readonly window: number
  /** Counted from 0 over the run. */
  readonly sequence: number
  readonly frames: Buffer[]
  readonly rows: number
  /** The last message of its window. */
  readonly isEnd: boolean
  /** What the probe had lost until then. */
  readonly lost: Losses
  /** Called once, when nothing reads the frames any more: acknowledged at the first attempt, or never sent. */
  readonly release?: () => void
}

/** Up to where collectors have stored everything: the first window that may be missing, with its run. */
export interface Settled extends WindowKey {
  /** Of its first message. */
  readonly sequence: number
  /** The losses that the windows before it carried. */
  readonly lost: Losses
}

/** A message that a run before has left on disk. */
export interface Left extends Omit<Queued, 'frames' | 'release'> {
  readonly serial: number
}

export interface Entry extends Omit<Queued, 'frames' | 'release'> {
  /** Undefined when it is on disk alone. */
  frames: Buffer[] | undefined
  release: (() => void) | undefined
  /** Bytes of the frames, once these were in memory. */
  bytes: number
  attempts: number
  /** On disk. */
  serial: number | undefined
  /** When it was pushed, milliseconds that only rise. */
  readonly at: number
}

const bytesOf = (frames: readonly Buffer[]): number => frames.reduce((sum, frame) => sum + frame.length, 0)

export class Queue {
  /** Messages dropped because the queue was full, oldest first; of some the window is acknowledged later. */
  dropped = 0
  /** What became of all that was pushed. */
  readonly ledger = new Ledger()
  readonly runs: Runs
  /** In memory. */
  bytes = 0
  settled: Settled
  /** Called with what need not be on disk any more. */
  unspool: (serials: number[]) => void = () => {}
  readonly #maxBytes: number
  #entries: Entry[] = []
  /** The entry to send next. */
  #cursor = 0
  /** So many are on disk, and so many of these not in memory. */
  #spooled = 0
  #evicted = 0
  /** The newest window that lost a message, and whether that message was sent on this connection. */
  #torn = { window: Number.NEGATIVE_INFINITY, sent: true }
  /** Windows that are acknowledged, but not all before them are. */
  readonly #acknowledged = new Set<number>()

  /** @param run of the probe, whose windows are queued here */
  constructor(maxBytes: number, run: Identity) {
    this.#maxBytes = maxBytes
    this.runs = new Runs(run)
    this.settled = { ...this.runs.keyOf(0), sequence: 0, lost: {} }
  }

  get length(): number {
    return this.#entries.length
  }

  /** The oldest window that waits. */
  get oldest(): number | undefined {
    return this.#entries[0]?.window
  }

  /** The window of the message that is sent next. */
  get upcoming(): number | undefined {
    return this.#entries[this.#cursor]?.window
  }

  /** The first window that may be missing. */
  get settledTo(): number {
    return this.runs.at(this.settled) ?? this.oldest ?? 0
  }

  /** Windows that were sent on this connection, at least in part, and wait: at most so many are counted. */
  underWay(most: number): number {
    const windows = new Set<number>()
    for (let index = this.#cursor - 1; index >= 0 && windows.size < most; index--) {
      const { window } = this.#entries[index]!
      if (!this.#acknowledged.has(window)) windows.add(window)
    }
    return windows.size
  }

  /** What runs before have left, oldest first. Before anything is pushed. */
  load(left: readonly Left[]): void {
    const [first] = left
    if (first) this.settled = { ...this.runs.keyOf(first.window), sequence: first.sequence, lost: first.lost }
    for (const message of left) {
      this.ledger.push(message.window, message.rows)
      this.#entries.push({ ...message, frames: undefined, release: undefined, bytes: 0, attempts: 0, at: 0 })
    }
    this.#spooled = this.#evicted = left.length
  }

  push({ release, ...message }: Queued): void {
    const bytes = bytesOf(message.frames)
    this.ledger.push(message.window, message.rows)
    this.#entries.push({ ...message, release, bytes, attempts: 0, serial: undefined, at: performance.now() })
    this.bytes += bytes
    this.#evict(this.#maxBytes)
    let end = this.#spooled
    let left = this.bytes
    while (left > this.#maxBytes && end < this.#entries.length - 1) left -= this.#entries[end++]!.bytes
    if (end > this.#spooled) this.#drop(end)
  }

  /** Those in memory alone, up to this one; with what of their windows is on disk. */
  #drop(end: number): void {
    const { window } = this.#entries[end - 1]!
    const first = this.#entries[this.#spooled]!.window
    let start = this.#spooled
    while (start > 0 && this.#entries[start - 1]!.window === first) start--
    const sent = end <= this.#cursor && (window !== this.#torn.window || this.#torn.sent)
    this.#torn = { window, sent }
    const gone = this.#remove(start, end - start)
    for (const { attempts, release } of gone) if (attempts === 0) release?.()
    this.dropped += gone.filter(({ window }) => !this.#acknowledged.has(window)).length
    for (const dropped of new Set(gone.map(({ window }) => window)))
      this.ledger.dropped(dropped, sent && dropped === window)
    this.#release()
  }

  /**
   * The next message to send, if there is one. The rest of a torn window is dropped: half a window has wrong numbers.
   * @param last nothing of later windows
   * @returns undefined also when it is on disk: see `missing`
   */
  next(last = Number.POSITIVE_INFINITY): Queued | undefined {
    for (;;) {
      const entry = this.#entries[this.#cursor]
      if (!entry || entry.window > last) return undefined
      if (entry.window !== this.#torn.window || this.#torn.sent) {
        const { frames } = entry
        if (!frames) return undefined
        this.#cursor++
        entry.attempts++
        if (entry.isEnd) this.ledger.sent(entry.window)
        const { window, sequence, rows, isEnd, lost } = entry
        if (this.#cursor <= this.#evicted) this.#forget(entry)
        return { window, sequence, frames, rows, isEnd, lost }
      }
      this.#remove(this.#cursor, 1)
      if (entry.attempts === 0) entry.release?.()
      this.dropped++
      this.#release()
    }
  }

  /** What must be read before `next` can give it. */
  get missing(): number | undefined {
    const entry = this.#entries[this.#cursor]
    return entry && !entry.frames ? entry.serial : undefined
  }

  /** It was read; it is kept until it is sent. */
  give(serial: number, frames: Buffer[]): void {
    const entry = this.#entries[this.#cursor]
    if (entry?.serial !== serial || entry.frames) return
    entry.frames = frames
    entry.bytes = bytesOf(frames)
    this.bytes += entry.bytes
  }

  /** Messages of this window are lost. */
  isTorn(window: number): boolean {
    return window === this.#torn.window
  }

  /** In memory alone, oldest first. @param all those of the window that has not ended, too */
  unspooled(all: boolean): readonly Entry[] {
    const rest = this.#entries.slice(this.#spooled)
    return all ? rest : rest.slice(0, rest.findLastIndex(({ isEnd }) => isEnd) + 1)
  }

  /** These are on disk now. Meanwhile some of them may have left. */
  spooled(entries: readonly Entry[], serials: readonly number[]): void {
    const gone: number[] = []
    for (const [index, entry] of entries.entries())
      if (this.#entries[this.#spooled] === entry) {
        entry.serial = serials[index]!
        this.#spooled++
      } else gone.push(serials[index]!)
    if (gone.length > 0) this.unspool(gone)
  }

  /** Memory for what comes: what is on disk as well leaves it. */
  relieve(): void {
    this.#evict(this.#maxBytes / 2)
  }

  /** These are not on disk any more. What is in memory goes to disk again; of others the window is lost. */
  lose(serials: readonly number[], reason: Reason): void {
    const gone = new Set<number | undefined>(serials)
    const alive = this.#entries.slice(this.#evicted, this.#spooled)
    if (alive.some(({ serial }) => gone.has(serial))) {
      this.unspool(alive.flatMap(({ serial }) => (serial === undefined || gone.has(serial) ? [] : [serial])))
      for (const entry of alive) entry.serial = undefined
      this.#spooled = this.#evicted
    }
    const dead = this.#entries.slice(0, this.#evicted).filter(({ serial }) => gone.has(serial))
    for (const window of new Set(dead.map(({ window }) => window))) {
      const start = this.#entries.findIndex(entry => entry.window === window)
      const count = this.#entries.findLastIndex(entry => entry.window === window) + 1 - start
      const rest = this.#remove(start, count)
      for (const { attempts, release } of rest) if (attempts === 0) release?.()
      if (!rest.at(-1)?.isEnd) this.#torn = { window, sent: false }
      this.ledger.dropped(window, false, reason)
    }
    if (dead.length > 0) this.#release()
  }

  /** A new connection: everything that is kept is sent again. The receiver drops what it has by sequence. */
  rewind(): void {
    this.#cursor = 0
    this.#torn.sent = false
    this.ledger.torn(this.#torn.window)
    this.#acknowledged.clear() // it may be another collector
  }

  /**
   * The collector has stored this window, or dropped it for good. It is kept until all windows before it are stored:
   * another collector must not get holes. Windows of unknown runs are ignored.
   */
  acknowledge(key: Ack): void {
    const window = this.runs.at(key)
    if (window === undefined) return
    this.ledger.acknowledged(window, key.lost ? 'collector_full' : 'stored')
    if (!this.#entries.some(entry => entry.window === window)) return
    this.#acknowledged.add(window)
    this.#release()
  }

  /** Some collector has stored this window, which is sent to another all the same. */
  acknowledgedElsewhere(key: WindowKey): void {
    const window = this.runs.at(key)
    if (window !== undefined) this.ledger.acknowledged(window)
  }

  /** The probe ends. What is whole on disk is left to the next one. */
  stop(): void {
    const kept = new Set<number>()
    for (const [index, { isEnd, window }] of this.#entries.entries())
      if (isEnd && index < this.#spooled) kept.add(window)
    this.ledger.stop(window => kept.has(window))
  }

  #release(): void {
    let held = 0
    while (held < this.#entries.length && this.#acknowledged.has(this.#entries[held]!.window)) held++
    const gone = this.#remove(0, held)
    // a closed connection may still read what was sent on it
    for (const { attempts, release } of gone) if (attempts === 1) release?.()
    const last = gone.at(-1)
    if (last) this.#settle(last, this.#entries[0])
    const oldest = this.oldest ?? Number.POSITIVE_INFINITY
    for (const window of this.#acknowledged) if (window < oldest) this.#acknowledged.delete(window)
  }

  #settle({ window, sequence, lost }: Entry, next: Entry | undefined): void {
    const key = this.runs.keyOf(window)
    const first = next && this.runs.keyOf(next.window)
    this.settled =
      first && first.probe !== key.probe
        ? { ...first, sequence: next.sequence, lost: {} }
        : { ...key, window: key.window + 1, sequence: sequence + 1, lost }
  }

  #evict(maxBytes: number): void {
    while (this.bytes > maxBytes && this.#evicted < this.#spooled) {
      const entry = this.#entries[this.#evicted++]!
      if (entry.attempts === 0) entry.release?.()
      this.#forget(entry)
    }
  }

  #forget(entry: Entry): void {
    if (entry.frames) this.bytes -= entry.bytes
    entry.frames = undefined
    entry.release = undefined
  }

  #remove(start: number, count: number): Entry[] {
    if (count === 0) return []
    const removed = this.#entries.splice(start, count)
    this.bytes -= removed.reduce((sum, { frames, bytes }) => sum + (frames ? bytes : 0), 0)
    const less = (index: number) => (index <= start ? index : Math.max(start, index - count))
    this.#cursor = less(this.#cursor)
    this.#spooled = less(this.#spooled)
    this.#evicted = less(this.#evicted)
    const serials = removed.flatMap(({ serial }) => (serial === undefined ? [] : [serial]))
    if (serials.length > 0) this.unspool(serials)
    return removed
  }
}
