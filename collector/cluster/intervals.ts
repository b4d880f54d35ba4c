/** Who had a name or an address, and when. It has one owner at a time; owners that are gone are kept for a while. */

export interface Interval<T> {
  readonly value: T
  /** Milliseconds since the epoch; the owner has it from here on… */
  from: number
  /** …and until before this. Infinity: it still has it. */
  until: number
  /** It ended then; else it goes on, or was taken over. */
  isOver: boolean
}

/** Of one key: an address that changes hands more often has its oldest owners forgotten. */
const MAX_OWNERS = 16
/** Clocks of two machines differ, and times of objects are in whole seconds: an owner may be seen so much before it began. */
const SLACK_MS = 2000

/** Keys: 65,536 Services with ten endpoints each have fewer. */
const MAX_KEYS = 2 ** 20

export class Intervals<T> {
  /** Keys that found no room. */
  refused = 0
  /** By key: in the order of time, none overlaps another. */
  readonly #owners = new Map<string, Interval<T>[]>()
  readonly #most: number

  constructor(most = MAX_KEYS) {
    this.#most = most
  }

  /** Keys. */
  get size(): number {
    return this.#owners.size
  }

  /**
   * Two owners at a time are a mistake of one of their times. One whose end is known keeps the key until then; one that goes on
   * has lost it to who began later. One that had it before has it again since then.
   * @param until Infinity: it goes on
   */
  begin(key: string, value: T, since: number, until = Number.POSITIVE_INFINITY): void {
    const all = this.#owners.get(key) ?? []
    const had = all.findLast(one => one.value === value)
    if (had?.until === Number.POSITIVE_INFINITY) return
    if (all.length === 0 && this.#owners.size >= this.#most) {
      this.refused++
      return
    }
    const from = Math.max(since, had?.until ?? since)
    const after = all.findIndex(one => one.from > from)
    const at = after < 0 ? all.length : after
    const [before, next] = [all[at - 1], all[at]]
    const own: Interval<T> = { value, from, until: next?.from ?? Number.POSITIVE_INFINITY, isOver: false }
    if (before && before.until > from) {
      if (before.isOver) own.from = before.until
      else before.until = from
    }
    if (own.from >= own.until) return
    all.splice(at, 0, own)
    if (all.length > MAX_OWNERS) all.shift()
    this.#owners.set(key, all)
    if (until !== Number.POSITIVE_INFINITY) this.end(key, value, until, true)
  }

  /**
   * It has it no longer.
   * @param isExact it says so itself: who was taken to have it earlier has it from then on. Else it had it until then at most
   */
  end(key: string, value: T, until: number, isExact = false): void {
    const all = this.#owners.get(key) ?? []
    const at = all.findLastIndex(one => one.value === value)
    const own = all[at]
    if (!own || (until > own.until && (own.isOver || !isExact))) return
    own.until = Math.max(own.from, until)
    own.isOver = true
    const later = all.splice(at + 1)
    for (const one of later) one.from = Math.max(one.from, own.until)
    all.push(...later.filter(({ from, until }) => from < until))
  }

  at(key: string, atMs: number): T | undefined {
    const all = this.#owners.get(key)
    if (!all) return undefined
    const own = all.findLast(({ from }) => from <= atMs)
    if (own && atMs < own.until) return own.value
    return all.find(({ from, until }) => from > atMs && from <= atMs + SLACK_MS && from < until)?.value
  }

  /** It has or had an owner. */
  has(key: string): boolean {
    return this.#owners.has(key)
  }

  /** Forgets owners whose time ended before this. */
  expire(beforeMs: number): void {
    for (const [key, all] of this.#owners) {
      const left = all.filter(({ until }) => until >= beforeMs)
      if (left.length === 0) this.#owners.delete(key)
      else if (left.length < all.length) this.#owners.set(key, left)
    }
  }
}
