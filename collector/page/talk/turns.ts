/** Answers that look at every flow: one is made at a time, and who asks the same meanwhile gets the same. */
export class Turns {
  readonly #made = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param question the same one has the same answer
   * @param make makes the answer when it is its turn
   */
  ask<T>(question: string, make: () => Promise<T>): Promise<T> {
    const same = this.#made.get(question)
    if (same) return same as Promise<T>
    const answer = this.#last.then(make).finally(() => this.#made.delete(question))
    this.#made.set(question, answer)
    this.#last = answer.catch(() => {})
    return answer
  }
}
