/** Things that many flows have in common, by number: each is kept as long as a flow has it. Number 0 is none. */

export class Kept<T> {
  readonly #things: (T | undefined)[] = [undefined]
  readonly #users: number[] = [0]
  readonly #free: number[] = []

  get size(): number {
    return this.#things.length - 1 - this.#free.length
  }

  /** Nobody has it yet. */
  add(thing: T): number {
    const number = this.#free.pop() ?? this.#things.length
    this.#things[number] = thing
    this.#users[number] = 0
    return number
  }

  get(number: number): T | undefined {
    return this.#things[number]
  }

  hold(number: number): void {
    if (number !== 0) this.#users[number]!++
  }

  /** @returns what nobody has any more */
  release(number: number): T | undefined {
    if (number === 0 || --this.#users[number]! > 0) return undefined
    const thing = this.#things[number]
    this.#things[number] = undefined
    this.#free.push(number)
    return thing
  }
}
