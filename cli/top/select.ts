/** Which rows are shown, in which order. */

import type { Column, Shown } from './columns/column.ts'

export interface Order {
  /** Of a column. */
  readonly title: string
  readonly isReversed: boolean
}

/** Rows whose cells have all the words, in any case: `nginx 8080`. */
export function matching<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  filter: string,
  shown: Shown,
): readonly Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return rows
  return rows.filter(row => {
    const text = columns
      .map(({ cell }) => cell(row, shown))
      .join(' ')
      .toLowerCase()
    return words.every(word => text.includes(word))
  })
}

/** The largest number first, texts from A, what has no value last; rows alike stay as they were. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { title, isReversed }: Order,
): readonly Row[] {
  const value = columns.find(column => column.title === title)?.value
  if (!value) return rows
  const sign = isReversed ? -1 : 1
  return rows.toSorted((rowA, rowB) => {
    const [a, b] = [value(rowA), value(rowB)]
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    if (typeof a === 'number' && typeof b === 'number') return sign * (b - a)
    return sign * compare(String(a), String(b))
  })
}

const { compare } = new Intl.Collator('en', { numeric: true })

/** Rows at the places that they had; new ones are behind them. */
export function frozen<Row>(
  rows: readonly Row[],
  idOf: (row: Row) => string,
  order: readonly string[],
): readonly Row[] {
  const places = new Map(order.map((id, at) => [id, at]))
  const place = (row: Row) => places.get(idOf(row)) ?? Number.POSITIVE_INFINITY
  return rows.toSorted((a, b) => {
    const [placeA, placeB] = [place(a), place(b)]
    return placeA === placeB ? 0 : placeA - placeB
  })
}

/** The column after the one that rows are sorted by now, or before it. */
export function neighbour<Row>(columns: readonly Column<Row>[], title: string, step: 1 | -1): string {
  const titles = columns.flatMap(({ title, value }) => (value ? [title] : []))
  const at = titles.indexOf(title)
  return titles[(at + step + titles.length) % titles.length] ?? title
}
