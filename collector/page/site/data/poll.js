/** An answer that is asked for again with each window, and whenever the question changes; never two at once. */

export class Poll {
  #ask
  #changed
  #key = ''
  #isAsking = false
  #isStale = false
  answer
  problem = ''

  /** @param ask gives the answer to a view */
  constructor(ask, changed) {
    this.#ask = ask
    this.#changed = changed
  }

  /** @param key of the question: the same one is not asked again until it is stale */
  async draw(key, view) {
    if (this.#isAsking || (key === this.#key && !this.#isStale)) return
    this.#isAsking = true
    this.#isStale = false
    this.#key = key
    try {
      this.answer = await this.#ask(view)
      this.problem = ''
    } catch (error) {
      this.problem = error.message
    }
    this.#isAsking = false
    this.#changed()
  }

  /** There is a new window. */
  stale() {
    this.#isStale = true
  }
}
