/**
 * Memory for the rows that wait for their acknowledgement, used over and over. Fresh memory for each message costs more
 * than what is done with it: the kernel clears its pages, and V8 collects all garbage each time 32 MB of it were taken.
 */

export interface Kept {
  readonly rows: Buffer
  /** Each holder says once that it is done; after the last one the memory is used again. */
  release(): void
}

export class Slabs {
  readonly #size: number
  #free: Buffer[] = []
  #taken = 0

  /** @param size bytes of the largest rows that get a slab; those of half of it and more do */
  constructor(size: number) {
    this.#size = size
  }

  /** Slabs that are not in use. */
  get free(): number {
    return this.#free.length
  }

  /**
   * @param rows the caller may use them again
   * @param holders a slab that one of them never releases is left to the garbage collector
   */
  keep(rows: Buffer, holders: number): Kept {
    // of fewer rows a slab would be empty memory that no queue knows of
    if (rows.length < this.#size / 2 || rows.length > this.#size)
      return { rows: Buffer.from(rows), release: () => {} }
    const slab = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size)
    this.#taken++
    rows.copy(slab)
    let left = holders
    const release = () => {
      left--
      if (left === 0) this.#free.push(slab)
    }
    return { rows: slab.subarray(0, rows.length), release }
  }

  /** At each window's end: as many as this window took are enough for the next. */
  trim(): void {
    this.#free.splice(this.#taken)
    this.#taken = 0
  }
}
