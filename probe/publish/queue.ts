/**
 * Messages on their way to a collector, kept until their window is acknowledged. Memory is bounded by bytes; what is on
 * disk, too, leaves it first.
 */

import type { Ack } from '../../wire/ack.ts'
import type { Identity, Losses, WindowKey } from '../../wire/message.ts'
import { Ledger, type Reason } from './ledger.ts'
import { Entries, type Entry, type Outline } from './spool/entries.ts'
import { Runs } from './spool/runs.ts'

export interface Queued extends Outline {
  readonly frames: Buffer[]
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
export interface Left extends Outline {
  readonly serial: number
}

export class Queue {
  /** Messages dropped because the queue was full, oldest first; of some the window is acknowledged later. */
  dropped = 0
  /** What became of all that was pushed. */
  readonly ledger = new Ledger()
  readonly runs: Runs
  maxBytes: number
  settled: Settled
  readonly #entries = new Entries()
  /** The newest window that lost a message, and whether that message was sent on this connection. */
  #torn = { window: Number.NEGATIVE_INFINITY, sent: true }
  /** Windows that are acknowledged, but not all before them are. */
  readonly #acknowledged = new Set<number>()

  /** @param run of the probe, whose windows are queued here */
  constructor(maxBytes: number, run: Identity) {
    this.maxBytes = maxBytes
    this.runs = new Runs(run)
    this.settled = { ...this.runs.keyOf(0), sequence: 0, lost: {} }
  }

  get length(): number {
    return this.#entries.all.length
  }

  /** In memory. */
  get bytes(): number {
    return this.#entries.bytes
  }

  /** The oldest window that waits. */
  get oldest(): number | undefined {
    return this.#entries.all[0]?.window
  }

  /** The window of the message that is sent next. */
  get upcoming(): number | undefined {
    return this.#entries.all[this.#entries.cursor]?.window
  }

  /** The first window that may be missing. */
  get settledTo(): number {
    return this.runs.at(this.settled) ?? this.oldest ?? 0
  }

  /** @param unspool called with what need not be on disk any more */
  set unspool(unspool: (serials: number[]) => void) {
    this.#entries.unspool = unspool
  }

  /** Windows that were sent on this connection, at least in part, and wait: at most so many are counted. */
  underWay(most: number): number {
    const windows = new Set<number>()
    for (let index = this.#entries.cursor - 1; index >= 0 && windows.size < most; index--) {
      const { window } = this.#entries.all[index]!
      if (!this.#acknowledged.has(window)) windows.add(window)
    }
    return windows.size
  }

  /** What runs before have left, oldest first. Before anything is pushed. */
  load(left: readonly Left[]): void {
    const [first] = left
    if (first) this.settled = { ...this.runs.keyOf(first.window), sequence: first.sequence, lost: first.lost }
    for (const { serial, ...outline } of left) {
      this.ledger.push(outline.window, outline.rows)
      this.#entries.addOnDisk(outline, serial)
    }
  }

  push({ frames, release, ...outline }: Queued): void {
    this.ledger.push(outline.window, outline.rows)
    this.#entries.add(outline, frames, release)
    this.#entries.evict(this.maxBytes)
    const { all, spooled, bytes } = this.#entries
    let end = spooled
    let left = bytes
    while (left > this.maxBytes && end < all.length - 1) left -= all[end++]!.bytes
    if (end > spooled) this.#drop(end)
  }

  /** Those in memory alone, up to this one; with what of their windows is on disk. */
  #drop(end: number): void {
    const { all, spooled, cursor } = this.#entries
    const { window } = all[end - 1]!
    const first = all[spooled]!.window
    let start = spooled
    while (start > 0 && all[start - 1]!.window === first) start--
    const sent = end <= cursor && (window !== this.#torn.window || this.#torn.sent)
    this.#torn = { window, sent }
    const gone = this.#entries.remove(start, end - start)
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
      const entry = this.#entries.all[this.#entries.cursor]
      if (!entry || entry.window > last) return undefined
      if (!this.#isTorn(entry) || this.#torn.sent) {
        const frames = this.#entries.send()
        if (!frames) return undefined
        const { window, sequence, rows, isEnd, lost } = entry
        if (isEnd) this.ledger.sent(window)
        return { window, sequence, frames, rows, isEnd, lost }
      }
      this.#skip(this.#entries.cursor)
    }
  }

  #isTorn(entry: Entry | undefined): boolean {
    return entry?.window === this.#torn.window
  }

  /** One of a torn window. */
  #skip(index: number): void {
    const [entry] = this.#entries.remove(index, 1)
    if (entry?.attempts === 0) entry.release?.()
    this.dropped++
    this.#release()
  }

  /** What must be read before `next` can give it. */
  get missing(): number | undefined {
    const entry = this.#entries.all[this.#entries.cursor]
    return entry && !entry.frames ? entry.serial : undefined
  }

  /** It was read; it is kept until it is sent. */
  give(serial: number, frames: Buffer[]): void {
    this.#entries.give(serial, frames)
  }

  /**
   * In memory alone, oldest first. A torn window never goes to disk: it ends on this connection, or not at all.
   * @param all those of the window that has not ended, too
   */
  unspooled(all: boolean): readonly Entry[] {
    const { spooled } = this.#entries
    while (this.#isTorn(this.#entries.all[spooled]) && !this.#torn.sent) this.#skip(spooled)
    if (this.#isTorn(this.#entries.all[spooled])) return []
    const rest = this.#entries.all.slice(this.#entries.spooled)
    return all ? rest : rest.slice(0, rest.findLastIndex(({ isEnd }) => isEnd) + 1)
  }

  /** These are on disk now. Meanwhile some of them may have left. */
  spooled(entries: readonly Entry[], serials: readonly number[]): void {
    const gone: number[] = []
    for (const [index, entry] of entries.entries())
      if (this.#entries.all[this.#entries.spooled] === entry) {
        entry.serial = serials[index]!
        this.#entries.spooled++
      } else gone.push(serials[index]!)
    if (gone.length > 0) this.#entries.unspool(gone)
  }

  /** Memory for what comes: what is on disk as well leaves it. */
  relieve(): void {
    this.#entries.evict(this.maxBytes / 2)
  }

  /** These are not on disk any more. What is in memory goes to disk again; of others the window is lost. */
  lose(serials: readonly number[], reason: Reason): void {
    const gone = new Set<number | undefined>(serials)
    if (this.#entries.both.some(({ serial }) => gone.has(serial))) this.#entries.respool(gone)
    const dead = this.#entries.evicted.filter(({ serial }) => gone.has(serial))
    for (const window of new Set(dead.map(({ window }) => window))) {
      const start = this.#entries.all.findIndex(entry => entry.window === window)
      const count = this.#entries.all.findLastIndex(entry => entry.window === window) + 1 - start
      const rest = this.#entries.remove(start, count)
      for (const { attempts, release } of rest) if (attempts === 0) release?.()
      if (!rest.at(-1)?.isEnd) this.#torn = { window, sent: false }
      this.ledger.dropped(window, false, reason)
    }
    if (dead.length > 0) this.#release()
  }

  /** A new connection: everything that is kept is sent again. The receiver drops what it has by sequence. */
  rewind(): void {
    this.#entries.cursor = 0
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
    if (!this.#entries.all.some(entry => entry.window === window)) return
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
    const onDisk = this.#entries.all.slice(0, this.#entries.spooled)
    const kept = new Set(onDisk.filter(({ isEnd }) => isEnd).map(({ window }) => window))
    this.ledger.stop(window => kept.has(window))
  }

  #release(): void {
    const { all } = this.#entries
    let held = 0
    while (held < all.length && this.#acknowledged.has(all[held]!.window)) held++
    const gone = this.#entries.remove(0, held)
    // a closed connection may still read what was sent on it
    for (const { attempts, release } of gone) if (attempts === 1) release?.()
    const last = gone.at(-1)
    if (last) this.#settle(last, all[0])
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
}
