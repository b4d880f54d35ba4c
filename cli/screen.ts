/** The live table: what `sockflux top` and `sockflux run` show. */

import type { TopHost, TopRow } from '../collector/serve/top.ts'
import { printable } from './printable.ts'
import { fit, padEnd, padStart, width } from './width.ts'

/** Of a terminal; infinite without one. */
export interface Size {
  readonly rows: number
  readonly columns: number
}

interface Column {
  readonly title: string
  readonly cell: (row: TopRow) => string
  readonly right?: boolean
  /** If there is no room, the column with the highest number is left out first; columns without a number stay. */
  readonly leaves?: number
  /** Names may be cut to this width. */
  readonly least?: number
  /** Shown only if all other columns have their full width. */
  readonly spare?: boolean
}

const COLUMNS: readonly Column[] = [
  { title: '', cell: ({ id }) => printable(id), least: 6 },
  { title: 'name', cell: ({ name }) => printable(name), least: 6 },
  { title: 'pod', cell: ({ pod }) => printable(pod), least: 8, leaves: 1 },
  { title: 'client', cell: ({ asClient }) => String(asClient), right: true },
  { title: 'server', cell: ({ asServer }) => String(asServer), right: true },
  { title: 'rtt ms', cell: ({ rtt }) => milliseconds(rtt), right: true, leaves: 0 },
  { title: '± ms', cell: ({ rttVariance }) => milliseconds(rttVariance), right: true, leaves: 2 },
  { title: '', cell: row => program(row), least: 24, leaves: 3, spare: true },
]
const MAX_ROWS = 12
/** The shortest table: its titles, a row, and the number of further rows. */
const LEAST_LINES = 3
const NO_END: Size = { rows: Number.POSITIVE_INFINITY, columns: Number.POSITIVE_INFINITY }

const milliseconds = (value: number | null): string =>
  value === null ? '-' : value.toFixed(value < 10 ? 3 : 1)

/** The process behind a name: `/usr/bin/wget, of bash, uid 33`. */
const program = ({ process }: TopRow): string =>
  process ? printable(`${process.exe || process.comm}, of ${process.parent_comm}, uid ${process.uid}`) : ''

/** At most `rows` lines, none wider than `columns`. */
function table(title: string, rows: readonly TopRow[], total: number, size: Size): string[] {
  const room = Math.min(MAX_ROWS, total > size.rows - 1 ? size.rows - 2 : size.rows - 1)
  const shown = rows.slice(0, Math.max(0, room))
  const lines = [
    COLUMNS.map((column, index) => (index === 0 ? title : column.title)),
    ...shown.map(row => COLUMNS.map(({ cell }) => cell(row))),
  ]
  const widths = widthsIn(lines, size.columns)
  const text = lines.map(line =>
    line
      .flatMap((cell, index) => {
        const columns = widths[index]!
        if (columns === 0) return []
        return COLUMNS[index]!.right ? padStart(cell, columns) : padEnd(fit(cell, columns), columns)
      })
      .join('  ')
      .trimEnd(),
  )
  return total > shown.length ? [...text, fit(`  … and ${total - shown.length} more`, size.columns)] : text
}

/** The order in which columns are left out if their minimum widths do not fit. */
const LEAVING = COLUMNS.filter(({ leaves }) => leaves !== undefined).toSorted((a, b) => b.leaves! - a.leaves!)
/** The order in which columns are narrowed, from the last to the first. */
const GIVING = COLUMNS.filter(({ least }) => least !== undefined).toReversed()

/** The width of each column; 0 leaves it out. */
function widthsIn(lines: readonly (readonly string[])[], columns: number): number[] {
  const natural = new Map(
    COLUMNS.map((column, at) => [column, lines.reduce((most, line) => Math.max(most, width(line[at]!)), 0)]),
  )
  const naturalOf = (column: Column) => natural.get(column)!
  const leastOf = (column: Column) => Math.min(naturalOf(column), column.least ?? naturalOf(column))
  const sumOf = (of: (column: Column) => number) =>
    [...natural.keys()].reduce((sum, column) => sum + (of(column) > 0 ? of(column) + 2 : 0), -2)
  for (const column of LEAVING) {
    const needed = column.spare ? (other: Column) => (other === column ? leastOf : naturalOf)(other) : leastOf
    if (sumOf(needed) <= columns) break
    natural.set(column, 0)
  }
  for (const column of GIVING) {
    const over = Math.max(0, sumOf(naturalOf) - columns)
    natural.set(column, Math.max(leastOf(column), naturalOf(column) - over))
  }
  return COLUMNS.map(naturalOf)
}

/** Lines of a table without a bound. */
const linesOf = (rows: readonly TopRow[], total: number): number => {
  const shown = Math.min(rows.length, MAX_ROWS)
  return 1 + shown + (total > shown ? 1 : 0)
}

function part({ host, time, partial, containers, processes, total }: TopHost, size: Size): string[] {
  const at = new Date(time * 1000).toISOString().replace('.000Z', 'Z')
  const title = `${printable(host)}  window until ${at}${partial ? '  (the first, incomplete: shown, not stored)' : ''}`
  const rows = size.rows - 3 // the title and two blank lines
  const half = Math.max(Math.floor(rows / 2), rows - linesOf(processes, total.processes))
  const upper = table('CONTAINER', containers, total.containers, { ...size, rows: half })
  const lower = table('PROCESS', processes, total.processes, { ...size, rows: rows - upper.length })
  return [fit(title, size.columns), '', ...upper, '', ...lower]
}

/**
 * @param hosts as `GET /top` answers
 * @param size of the terminal, without the lines below the table; the number of hosts that do not fit is shown
 */
export function screen(hosts: readonly TopHost[], size: Size = NO_END): string {
  if (hosts.length === 0) return `${fit('waiting for the end of the first window …', size.columns)}\n`
  const lines: string[] = []
  for (const [index, host] of hosts.entries()) {
    const others = hosts.length - index
    const left = size.rows - lines.length - (others > 1 ? 2 : 0)
    if (index > 0 && left < 4 + 2 * LEAST_LINES) {
      lines.push('', fit(`… and ${others} more ${others === 1 ? 'host' : 'hosts'}`, size.columns))
      break
    }
    if (index > 0) lines.push('')
    lines.push(...part(host, { ...size, rows: index > 0 ? left - 1 : left }))
  }
  return `${lines.slice(0, Math.max(1, size.rows)).join('\n')}\n`
}
