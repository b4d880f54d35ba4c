/**
 * The messages of a queue in their order: first those that are on disk alone, then those that are in memory as well, then
 * those that are in memory alone.
 */

import type { Losses } from '../../../wire/message.ts'

/** A message, without what it is made of. */
export interface Outline {
  /** Counted from 0 over the run; those of runs before are below 0. */
  readonly window: number
  /** Counted from 0 over the run. */
  readonly sequence: number
  readonly rows: number
  /** The last message of its window. */
  readonly isEnd: boolean
  /** What the probe had lost until then. */
  readonly lost: Losses
}

export interface Entry extends Outline {
  /** Undefined when it is on disk alone. */
  frames: Buffer[] | undefined
  /** Bytes of the frames, once these were in memory. */
  bytes: number
  /** The memory of the frames is used again; undefined when that is not known to be right. */
  release: (() => void) | undefined
  attempts: number
  /** On disk. */
  serial: number | undefined
  /** When it was pushed, milliseconds that only rise. */
  readonly at: number
}

const bytesOf = (frames: readonly Buffer[]): number => frames.reduce((sum, frame) => sum + frame.length, 0)

export class Entries {
  readonly all: Entry[] = []
  /** In memory. */
  bytes = 0
  /** The entry to send next. */
  cursor = 0
  /** So many are on disk. */
  spooled = 0
  /** Called with what need not be on disk any more. */
  unspool: (serials: number[]) => void = () => {}
  /** So many of those on disk are not in memory. */
  #evicted = 0

  /** Those that are on disk and in memory. */
  get both(): Entry[] {
    return this.all.slice(this.#evicted, this.spooled)
  }

  /** Those that are on disk alone. */
  get evicted(): Entry[] {
    return this.all.slice(0, this.#evicted)
  }

  add(outline: Outline, frames: Buffer[], release: (() => void) | undefined): void {
    const bytes = bytesOf(frames)
    this.all.push({
      ...outline,
      frames,
      release,
      bytes,
      attempts: 0,
      serial: undefined,
      at: performance.now(),
    })
    this.bytes += bytes
  }

  /** On disk alone, behind others that are. */
  addOnDisk(outline: Outline, serial: number): void {
    this.all.push({ ...outline, frames: undefined, release: undefined, bytes: 0, attempts: 0, serial, at: 0 })
    this.spooled++
    this.#evicted++
  }

  /** @returns its frames; what is on disk alone leaves memory with them */
  send(): Buffer[] | undefined {
    const entry = this.all[this.cursor]
    const frames = entry?.frames
    if (!entry || !frames) return undefined
    this.cursor++
    entry.attempts++
    if (this.cursor <= this.#evicted) this.#forget(entry)
    return frames
  }

  /** The entry at the cursor was read from disk; it is kept until it is sent. */
  give(serial: number, frames: Buffer[]): void {
    const entry = this.all[this.cursor]
    if (entry?.serial !== serial || entry.frames) return
    entry.frames = frames
    entry.bytes = bytesOf(frames)
    this.bytes += entry.bytes
  }

  /** What is on disk leaves memory, oldest first. */
  evict(maxBytes: number): void {
    while (this.bytes > maxBytes && this.#evicted < this.spooled) {
      const entry = this.all[this.#evicted++]!
      if (entry.attempts === 0) entry.release?.()
      this.#forget(entry)
    }
  }

  /** What is in memory is to be written once more. @param gone these are not on disk any more */
  respool(gone: ReadonlySet<number | undefined>): void {
    const { both } = this
    this.unspool(both.flatMap(({ serial }) => (serial === undefined || gone.has(serial) ? [] : [serial])))
    for (const entry of both) entry.serial = undefined
    this.spooled = this.#evicted
  }

  remove(start: number, count: number): Entry[] {
    if (count === 0) return []
    const removed = this.all.splice(start, count)
    this.bytes -= removed.reduce((sum, { frames, bytes }) => sum + (frames ? bytes : 0), 0)
    const less = (index: number) => (index <= start ? index : Math.max(start, index - count))
    this.cursor = less(this.cursor)
    this.spooled = less(this.spooled)
    this.#evicted = less(this.#evicted)
    const serials = removed.flatMap(({ serial }) => (serial === undefined ? [] : [serial]))
    if (serials.length > 0) this.unspool(serials)
    return removed
  }

  #forget(entry: Entry): void {
    if (entry.frames) this.bytes -= entry.bytes
    entry.frames = undefined
    entry.release = undefined
  }
}
