/**
 * Lines per request. After a 413 it is half of the size that failed; then it grows as TCP's window does: it doubles up to
 * half of the size that failed last, then grows by a sixteenth until that size is tried again, and doubles once that is
 * stored.
 */
export class RequestSize {
  readonly #most: number
  #lines: number
  /** The size that failed last. */
  #failed: number

  constructor(most: number) {
    this.#most = most
    this.#lines = most
    this.#failed = most
  }

  get lines(): number {
    return this.#lines
  }

  tooLarge(count: number): void {
    this.#failed = count === 1 ? this.#most : count // a server that refuses one line does not refuse the size
    this.#lines = Math.max(1, count >> 1)
  }

  stored(count: number): void {
    if (count < this.#lines || this.#lines >= this.#most) return
    if (this.#lines >= this.#failed) this.#failed = this.#most
    const twice = 2 * this.#lines
    const isFar = twice <= this.#failed / 2 || this.#failed === this.#most
    const more = isFar ? twice : this.#lines + Math.max(1, this.#lines >> 4)
    this.#lines = Math.min(more, this.#failed)
  }
}
