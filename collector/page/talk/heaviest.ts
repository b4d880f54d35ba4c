/** Of many values those that weigh most, in memory for twice as many as are kept. */
export class Heaviest<T> {
  /** Values that were added, also those that are not kept. */
  count = 0
  readonly #most: number
  #kept: { readonly value: T; readonly weight: number }[] = []
  /** What weighs no more than this is not among them. */
  #least = Number.NEGATIVE_INFINITY

  constructor(most: number) {
    this.#most = most
  }

  /** @param make the value, when it may be kept */
  add(weight: number, make: () => T): void {
    this.count++
    if (weight <= this.#least) return
    this.#kept.push({ value: make(), weight })
    if (this.#kept.length < 2 * this.#most) return
    this.#cut()
    this.#least = this.#kept.at(-1)!.weight
  }

  /** The heaviest first. */
  values(): T[] {
    this.#cut()
    return this.#kept.map(({ value }) => value)
  }

  #cut(): void {
    this.#kept = this.#kept.sort((a, b) => b.weight - a.weight).slice(0, this.#most)
  }
}
