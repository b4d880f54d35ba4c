/** Pauses between attempts: each one longer, with jitter, so that many probes do not come back at one time. */
export class Backoff {
  readonly #leastMs: number
  readonly #mostMs: number
  readonly #random: () => number
  #nextMs: number

  constructor(leastMs: number, mostMs: number, random: () => number = Math.random) {
    this.#leastMs = leastMs
    this.#mostMs = mostMs
    this.#random = random
    this.#nextMs = leastMs
  }

  /** How long to wait now: from half to the whole of a time that doubles. */
  next(): number {
    const whole = this.#nextMs
    this.#nextMs = Math.min(whole * 2, this.#mostMs)
    return whole * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#nextMs = this.#leastMs
  }
}
