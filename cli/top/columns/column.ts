/** What a column of a view is. */

import type { Style } from '../../terminal/style.ts'
import { count, rate, type Unit } from './units.ts'

/** What cells depend on besides their row. */
export interface Shown {
  readonly unit: Unit
  /** Seconds since the epoch. */
  readonly now: number
}

export interface Column<Row> {
  readonly title: string
  /** Text of a cell; control characters in it are replaced where it is drawn. */
  readonly cell: (row: Row, shown: Shown) => string
  /** What rows are sorted by: numbers the largest first, texts from A; null is the last. Without it nothing can be sorted by this column. */
  readonly value?: (row: Row) => number | string | null
  readonly style?: (row: Row) => Style | undefined
  readonly right?: boolean
  /** If there is no room, the column with the highest number is left out first; columns without a number stay. */
  readonly leaves?: number
  /** Names may be cut to this width. */
  readonly least?: number
  /** Names are never wider than this. */
  readonly most?: number
}

/** A name: to the left, sorted from A. */
export const name = <Row>(
  title: string,
  of: (row: Row) => string,
  more: Partial<Column<Row>> = {},
): Column<Row> => ({ title, cell: of, value: of, least: 8, most: 32, ...more })

/** A number: to the right, the largest first. */
export const number = <Row>(
  title: string,
  value: (row: Row) => number | null,
  text: (value: number | null, shown: Shown, row: Row) => string,
  more: Partial<Column<Row>> = {},
): Column<Row> => ({
  title,
  cell: (row, shown) => text(value(row), shown, row),
  value,
  right: true,
  ...more,
})

/** Payload, bytes per second. */
export const bytesPerSecond = <Row>(title: string, of: (row: Row) => number | null): Column<Row> =>
  number(title, of, (value, { unit }) => rate(value!, unit))

/** How often something went wrong: any is coloured. */
export const faults = <Row>(
  title: string,
  of: (row: Row) => number,
  style: Style,
  more: Partial<Column<Row>> = {},
): Column<Row> =>
  number(title, of, value => count(value!), { style: row => (of(row) > 0 ? style : undefined), ...more })
