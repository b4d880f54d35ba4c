/**
 * Memory for the rows that wait for their acknowledgement, used again and again. New memory for each message costs more
 * than encoding it: the kernel clears its pages, and V8 collects all garbage after each 32 MB.
 */

export class Slabs {
  /** Bytes of each. */
  readonly size: number
  #free: Buffer[] = []
  #taken = 0

  constructor(size: number) {
    this.size = size
  }

  /** Slabs that are not in use. */
  get free(): number {
    return this.#free.length
  }

  take(): Buffer {
    this.#taken++
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size)
  }

  /** Nothing reads it any more. A slab that is never given back is left to the garbage collector. */
  give(slab: Buffer): void {
    this.#free.push(slab)
  }

  /** At each window's end: as many as this window took are enough for the next. */
  trim(): void {
    this.#free.splice(this.#taken)
    this.#taken = 0
  }
}
