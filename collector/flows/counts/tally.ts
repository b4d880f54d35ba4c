/** Rows that are added up by their tags, as many as one window may have. */

import type { FlatRow } from '../../fold/records/record.ts'

/** What is beyond counts in a row of its own. */
const MAX_ROWS = 50_000
const BEYOND = '~other'

interface TallyRow {
  readonly tags: Record<string, string>
  readonly numbers: Record<string, number>
}

export class Tally {
  readonly #rows = new Map<string, TallyRow>()

  /**
   * @param numbers added to the row of these tags; all names that a row has
   * @param ones names that are one more
   */
  add(
    tags: Record<string, string>,
    numbers: Readonly<Record<string, number>>,
    ones: readonly string[] = [],
  ): void {
    const sums = this.#row(tags).numbers
    for (const name in numbers) sums[name] = (sums[name] ?? 0) + numbers[name]!
    for (const name of ones) sums[name] = (sums[name] ?? 0) + 1
  }

  rows(): FlatRow[] {
    return [...this.#rows.values()]
  }

  #row(tags: Record<string, string>): TallyRow {
    const own = Object.values(tags).join('\0')
    const isBeyond = !this.#rows.has(own) && this.#rows.size >= MAX_ROWS
    const key = isBeyond ? BEYOND : own
    let row = this.#rows.get(key)
    if (!row) {
      const beyond = () => Object.fromEntries(Object.keys(tags).map(name => [name, BEYOND]))
      row = { tags: isBeyond ? beyond() : tags, numbers: {} }
      this.#rows.set(key, row)
    }
    return row
  }
}
