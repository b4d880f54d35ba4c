/** Who has a name or an address that several may have at a time, such as that of a load balancer. */

import { Intervals } from '../intervals.ts'

/** Who began last is meant; when it goes, one that still has it. */
export class Shared<T> {
  readonly #times = new Intervals<T>()
  /** By key: those who have it now. */
  readonly #holders = new Map<string, Set<T>>()

  /** Keys that found no room. */
  get refused(): number {
    return this.#times.refused
  }

  begin(key: string, value: T, from: number): void {
    const holders = this.#holders.get(key) ?? new Set()
    if (holders.has(value)) return
    this.#times.begin(key, value, from)
    if (this.#times.has(key)) this.#holders.set(key, holders.add(value))
  }

  end(key: string, value: T, until: number): void {
    const holders = this.#holders.get(key)
    if (!holders?.delete(value)) return
    this.#times.end(key, value, until)
    const other = [...holders].at(-1)
    if (other !== undefined) this.#times.begin(key, other, until)
    else this.#holders.delete(key)
  }

  at(key: string, atMs: number): T | undefined {
    return this.#times.at(key, atMs)
  }

  /** More than one has it now. */
  isShared(key: string): boolean {
    return (this.#holders.get(key)?.size ?? 0) > 1
  }

  /** It has or had an owner. */
  has(key: string): boolean {
    return this.#times.has(key)
  }

  expire(beforeMs: number): void {
    this.#times.expire(beforeMs)
  }
}
