import type { Answer } from '../collector/sinks/embedded/query/answer.ts'
import { printable } from './printable.ts'

type Cell = Answer['rows'][number][number]

/** How an answer is printed, by the name of the option. */
export const formats = { table, json, csv } as const
export type Format = keyof typeof formats

/** Columns as wide as their longest cell; numbers are aligned right. */
function table({ columns, rows }: Answer): string {
  const cells = rows.map(row => row.map(text))
  const widths = columns.map(({ name }, i) =>
    cells.reduce((max, row) => Math.max(max, width(row[i]!)), width(name)),
  )
  const right = columns.map((_, i) => rows.some(row => typeof row[i] === 'number'))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => {
        const space = ' '.repeat(widths[i]! - width(cell))
        return right[i] ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  const header = [line(columns.map(({ name }) => name)), widths.map(width => '-'.repeat(width)).join('  ')]
  return [...header, ...cells.map(line), ''].join('\n')
}

/** One array with one object per row. */
function json({ columns, rows }: Answer): string {
  const objects = rows.map(row =>
    JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]))),
  )
  return objects.length > 0 ? `[\n${objects.join(',\n')}\n]\n` : '[]\n'
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

/** Code points; an approximation of the columns on a terminal. */
function width(text: string): number {
  return [...text].length
}
