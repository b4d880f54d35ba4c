/** Collects the rows of a message: of any records, in order, until it is full or the window ends. */

import { MAX_PARTS } from '../../wire/check.ts'
import type { Rows } from '../../wire/layout.ts'
import type { Bundle, Part } from '../../wire/message.ts'
import type { Slabs } from './slabs.ts'

export interface Kept extends Bundle {
  /** Each holder calls it once when it is done; after the last call the memory is used again. */
  release(): void
}

export class Bundler {
  readonly #slabs: Slabs
  readonly #holders: number
  #slab: Buffer | undefined
  #used = 0
  #parts: Part[] = []

  /** @param holders of each bundle */
  constructor(slabs: Slabs, holders: number) {
    this.#slabs = slabs
    this.#holders = holders
  }

  /**
   * Takes as many whole rows as there is room for.
   * @param bytes copied
   * @returns bytes that were taken
   */
  add({ layout, bytes }: Rows): number {
    const room = this.#slabs.size - this.#used
    const length = Math.min(bytes.length, room - (room % layout.size))
    const last = this.#parts.at(-1)
    if (length === 0 || (this.#parts.length === MAX_PARTS && last?.layout !== layout)) return 0
    this.#slab ??= this.#slabs.take()
    bytes.copy(this.#slab, this.#used, 0, length)
    this.#used += length
    if (last?.layout === layout) last.length += length
    else this.#parts.push({ layout, length })
    return length
  }

  /** The rows that were added since the last call. */
  take(): Kept {
    const { parts, rows, slab } = { parts: this.#parts, rows: this.#rows(), slab: this.#slab }
    this.#parts = []
    this.#used = 0
    if (!slab || rows.buffer !== slab.buffer) return { parts, rows, release: () => {} }
    this.#slab = undefined
    let left = this.#holders
    const release = () => {
      left--
      if (left === 0) this.#slabs.give(slab)
    }
    return { parts, rows, release }
  }

  /** A copy when the slab is mostly empty: no queue would count the empty part. */
  #rows(): Buffer {
    const rows = this.#slab?.subarray(0, this.#used) ?? Buffer.alloc(0)
    return this.#used < this.#slabs.size / 2 ? Buffer.from(rows) : rows
  }
}
