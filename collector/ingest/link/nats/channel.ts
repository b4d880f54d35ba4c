/** From several producers to one reader: who puts waits until it is taken, so that nothing piles up. */

interface Offer<T> {
  readonly item: T
  readonly isWanted: () => boolean
  readonly over: (isTaken: boolean) => void
}

export class Channel<T> implements AsyncIterable<T> {
  readonly #waiting: Offer<T>[] = []
  #wake: () => void = () => {}
  #isClosed = false

  /**
   * @param isWanted asked when it is its turn
   * @returns whether it was taken, when the reader is done with it
   */
  put(item: T, isWanted: () => boolean): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#waiting.push({ item, isWanted, over: resolve })
    this.#wake()
    return promise
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
    for (const { over } of this.#waiting.splice(0)) over(false)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (!this.#isClosed) {
      const next = this.#waiting.shift()
      if (!next) {
        await new Promise<void>(resolve => (this.#wake = resolve))
        continue
      }
      const isWanted = next.isWanted()
      if (isWanted) yield next.item
      next.over(isWanted)
    }
  }
}
