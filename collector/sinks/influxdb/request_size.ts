/**
 * How many lines a request has: half of what the server found too large (413), and from there up again, as TCP does it:
 * twice as many up to half of what failed last, then a sixteenth more until that is tried again, and twice as many when
 * it is stored now.
 */
export class RequestSize {
  readonly #most: number
  #lines: number
  /** What failed last. */
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
    this.#failed = count === 1 ? this.#most : count // what refuses one line does not mean the size
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
