/** A map that holds a bounded number of entries: what was set or used longest ago goes first. */

export class BoundedMap<K, V> {
  readonly #max: number
  /** A Map keeps its entries in the order in which they were set. */
  readonly #entries = new Map<K, V>()

  /** @param max entries, at least one */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  /** Does not count as use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /** The entry was used: it goes to the end. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined && !this.#entries.has(key)) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value as V)
    return value
  }

  /** The entry goes to the end; beyond the bound the first one goes. */
  set(key: K, value: V): this {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    return this
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }

  keys(): MapIterator<K> {
    return this.#entries.keys()
  }

  values(): MapIterator<V> {
    return this.#entries.values()
  }

  /** Oldest first. */
  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries[Symbol.iterator]()
  }
}
