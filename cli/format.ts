import type { Answer } from '../collector/sinks/embedded/query/answer.ts'
import { escaped } from '../wire/json_text.ts'
import { printable } from './printable.ts'
import { padEnd, padStart, width } from './width.ts'

type Cell = Answer['rows'][number][number]

/** How an answer is printed, by the name of the option. */
export const formats = { table, json, csv } as const
export type Format = keyof typeof formats

/** Columns as wide as their longest cell; numbers are aligned right. */
function table({ columns, rows }: Answer): string {
  const cells = rows.map(row => row.map(text))
  const names = columns.map(({ name }) => printable(name))
  const widths = names.map((name, i) =>
    cells.reduce((max, row) => Math.max(max, width(row[i]!)), width(name)),
  )
  const right = columns.map((_, i) => rows.some(row => typeof row[i] === 'number'))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right[i] ? padStart : padEnd)(cell, widths[i]!))
      .join('  ')
      .trimEnd()
  const header = [line(names), widths.map(width => '-'.repeat(width)).join('  ')]
  return [...header, ...cells.map(line), ''].join('\n')
}

/** Numbers and texts that are no answer to a query. */
export const tableOf = (names: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  table({
    columns: names.map(name => ({ name, type: 'VARCHAR' })),
    rows: rows.map(row => [...row]),
    truncated: false,
  })

/** One array with one object per row. */
function json({ columns, rows }: Answer): string {
  const objects = rows.map(row =>
    JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]))),
  )
  return objects.length > 0 ? `[\n${escaped(objects.join(',\n'))}\n]\n` : '[]\n'
}

/** RFC 4180: lines end with CRLF, quotes are doubled. */
function csv({ columns, rows }: Answer): string {
  const line = (row: readonly string[]) => `${row.map(quoted).join(',')}\r\n`
  return [columns.map(({ name }) => name), ...rows.map(row => row.map(raw))].map(line).join('')
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

function raw(cell: Cell): string {
  if (cell === null) return ''
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}

function text(cell: Cell): string {
  return printable(raw(cell))
}
