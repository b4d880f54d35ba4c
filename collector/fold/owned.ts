/**
 * Numbers of a container, or of what is in none, by the values of dimensions: drops by reason and direction. A host may
 * have any number of owners and values, so rows are bounded; those beyond the bound add up in one row of their owner.
 */

import type { Group } from '../../wire/count/flow_sums.ts'

/** The value of a dimension for rows beyond the bound. */
export const BEYOND = '~other'
/** Rows of one window, of all sources. */
const MAX_ROWS = 100_000

export interface OwnedRow {
  /** Of its dimensions, in their order. */
  readonly values: readonly string[]
  readonly numbers: Readonly<Record<string, number>>
}

type Rows = Map<string, { readonly values: readonly string[]; readonly numbers: Record<string, number> }>

export const keyOf = (values: readonly string[]): string => values.join('\0')

export class Owned {
  /** Rows that found no place of their own. */
  overflowed = 0
  readonly #sources = new Map<string, Map<Group, Rows>>()
  readonly #max: number
  #count = 0

  constructor(max = MAX_ROWS) {
    this.#max = max
  }

  /** @param values of the source's dimensions, in their order */
  add(source: string, owner: Group, values: readonly string[], numbers: OwnedRow['numbers']): void {
    const rows = this.#rows(source, owner)
    if (rows.has(keyOf(values)) || this.#count < this.#max) {
      if (addTo(rows, values, numbers)) this.#count++
      return
    }
    this.overflowed++
    const beyond = values.map(() => BEYOND)
    addTo(rows, beyond, numbers)
  }

  /** Of these owners together. */
  of(source: string, owners: readonly Group[]): Iterable<OwnedRow> {
    const sources = this.#sources.get(source)
    if (!sources) return []
    const [first, ...others] = owners.flatMap(owner => sources.get(owner) ?? [])
    if (!first || others.length === 0) return first?.values() ?? []
    const sum: Rows = new Map()
    for (const rows of [first, ...others])
      for (const { values, numbers } of rows.values()) addTo(sum, values, numbers)
    return sum.values()
  }

  /** What was counted of one owner counts with the other. */
  move(from: Group, to: Group): void {
    for (const [source, owners] of this.#sources) {
      const rows = owners.get(from)
      if (!rows) continue
      owners.delete(from)
      this.#count -= rows.size
      for (const { values, numbers } of rows.values()) this.add(source, to, values, numbers)
    }
  }

  #rows(source: string, owner: Group): Rows {
    let owners = this.#sources.get(source)
    if (!owners) {
      owners = new Map()
      this.#sources.set(source, owners)
    }
    let rows = owners.get(owner)
    if (!rows) {
      rows = new Map()
      owners.set(owner, rows)
    }
    return rows
  }
}

/** @returns whether these values are new */
function addTo(rows: Rows, values: readonly string[], numbers: OwnedRow['numbers']): boolean {
  const key = keyOf(values)
  const known = rows.get(key)
  if (!known) {
    rows.set(key, { values, numbers: { ...numbers } })
    return true
  }
  for (const [name, value] of Object.entries(numbers))
    known.numbers[name] = (known.numbers[name] ?? 0) + value
  return false
}
