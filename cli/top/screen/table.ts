/** Rows in columns that fit: columns leave, names are cut, numbers never are. */

import { printable } from '../../printable.ts'
import type { Line, Span, Style } from '../../terminal/style.ts'
import { fit, padEnd, padStart, width } from '../../width.ts'
import type { Column, Shown } from '../columns/column.ts'

/** A terminal that is at least so wide has two blanks between columns. */
const WIDE = 100

/** Of what a table shows, without how. */
export interface Given<Row> {
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly shown: Shown
  /** Title of the column that the rows are sorted by. */
  readonly sorted?: string | undefined
  /** Index of the row that keys mean. */
  readonly selected?: number | undefined
}

interface Cell {
  readonly text: string
  readonly style: Style | undefined
}

/** @param columns of the terminal; infinite without one */
export function tableLines<Row>(given: Given<Row>, columns: number): Line[] {
  const { rows, shown, sorted, selected } = given
  const titles = given.columns.map(({ title }) => ({ text: title, style: titleStyle(title === sorted) }))
  const cells = rows.map(row =>
    given.columns.map(
      ({ cell, style }): Cell => ({ text: printable(cell(row, shown)), style: style?.(row) }),
    ),
  )
  const gap = columns >= WIDE ? 2 : 1
  const widths = widthsIn(given.columns, [titles, ...cells], columns - 1, gap)
  const line = (row: readonly Cell[], mark: string): Span[] => {
    const spans = row.flatMap(({ text, style }, at): Span[] => {
      if (widths[at] === 0) return []
      const short = fit(text, widths[at]!)
      const padded = given.columns[at]!.right ? padStart(short, widths[at]!) : padEnd(short, widths[at]!)
      return [{ text: padded, style }, { text: ' '.repeat(gap) }]
    })
    return trimmed([{ text: mark }, ...spans])
  }
  return [
    line(titles, ' '),
    ...cells.map((row, at) => (at === selected ? inverse(line(row, '>')) : line(row, ' '))),
  ]
}

const titleStyle = (isSorted: boolean): Style => (isSorted ? 'key' : 'title')

/** One style for the whole line. */
const inverse = (line: Line): Line => [{ text: line.map(({ text }) => text).join(''), style: 'selected' }]

/** Without blanks at its end. */
function trimmed(spans: readonly Span[]): Span[] {
  const last = spans.findLastIndex(({ text }) => text.trim() !== '')
  return spans
    .slice(0, last + 1)
    .map((span, at) => (at === last ? { ...span, text: span.text.trimEnd() } : span))
}

/** The width of each column; 0 leaves it out. */
function widthsIn<Row>(
  columns: readonly Column<Row>[],
  lines: readonly (readonly Cell[])[],
  room: number,
  gap: number,
): number[] {
  const naturals = columns.map(({ most = Number.POSITIVE_INFINITY, title }, at) =>
    lines.reduce(
      (widest, line) => Math.max(widest, Math.min(Math.max(most, width(title)), width(line[at]!.text))),
      0,
    ),
  )
  const leasts = columns.map(({ least }, at) => Math.min(naturals[at]!, least ?? naturals[at]!))
  const isIn = columns.map(() => true)
  const sum = (of: readonly number[]) =>
    of.reduce((sum, width, at) => (isIn[at] ? sum + width + gap : sum), -gap)
  const leaving = [...columns.keys()]
    .filter(at => columns[at]!.leaves !== undefined)
    .sort((a, b) => columns[b]!.leaves! - columns[a]!.leaves!)
  for (const at of leaving) {
    if (sum(leasts) <= room) break
    isIn[at] = false
  }
  // a number that was cut would be another one: on a very narrow terminal the last columns go
  for (let at = columns.length - 1; at > 0 && sum(leasts) > room; at--) isIn[at] = false
  const widths = [...naturals]
  // names that can be cut give what is too much, the last column first
  for (const at of [...columns.keys()].reverse()) {
    const over = Math.max(0, sum(widths) - room)
    widths[at] = Math.max(leasts[at]!, widths[at]! - over)
  }
  return widths.map((width, at) => (isIn[at] ? width : 0))
}
