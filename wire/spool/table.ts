/**
 * Where the records of a segment are, and what is lost with each. A full spool has a million of them: as numbers in a row
 * they take a third of the memory of objects.
 */

import type { Before } from './record.ts'

/** Where a record is, and what is lost with it. */
export interface Entry {
  readonly offset: number
  /** At least a header. */
  readonly bytes: number
  readonly windows: number
  readonly rows: number
  readonly before: Before
  /** Milliseconds since the epoch. */
  readonly time: number
}

/** Bytes, windows, rows, records before. Without bytes, the entry was removed. */
const WORDS = 4
/** Offset, windows before, rows before, time. */
const DOUBLES = 4
const FIRST = 16
const GROWTH = 1.5

export class Table {
  length = 0
  #words = new Uint32Array(FIRST * WORDS)
  #doubles = new Float64Array(FIRST * DOUBLES)

  push({ offset, bytes, windows, rows, before, time }: Entry): void {
    if (this.length * WORDS === this.#words.length) this.#grow(Math.ceil(this.length * GROWTH))
    this.#words.set([bytes, windows, rows, before.records], this.length * WORDS)
    this.#doubles.set([offset, before.windows, before.rows, time], this.length * DOUBLES)
    this.length++
  }

  has(index: number): boolean {
    return index >= 0 && index < this.length && this.#words[index * WORDS] !== 0
  }

  /** @returns undefined when it was removed, or never was */
  get(index: number): Entry | undefined {
    if (!this.has(index)) return undefined
    const [bytes, windows, rows, records] = this.#words.subarray(index * WORDS) as unknown as Four
    const [offset, windowsBefore, rowsBefore, time] = this.#doubles.subarray(
      index * DOUBLES,
    ) as unknown as Four
    return {
      offset,
      bytes,
      windows,
      rows,
      time,
      before: { records, windows: windowsBefore, rows: rowsBefore },
    }
  }

  remove(index: number): void {
    this.#words[index * WORDS] = 0
  }

  #grow(length: number): void {
    const [words, doubles] = [this.#words, this.#doubles]
    this.#words = new Uint32Array(length * WORDS)
    this.#words.set(words)
    this.#doubles = new Float64Array(length * DOUBLES)
    this.#doubles.set(doubles)
  }
}

type Four = readonly [number, number, number, number]
