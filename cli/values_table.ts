import { formats } from './format.ts'
import { printable } from './printable.ts'
import { width } from './width.ts'

interface Row {
  readonly name: string
  readonly value: string
  readonly from: string
}

/** Columns of a value in the table; a wider one is on lines of its own. */
const MAX_VALUE = 40
const MAX_LINE = 78

/** Settings with their values; lists longer than a line are broken at their commas. */
export function valuesTable(title: string, rows: readonly Row[]): string {
  const isLong = ({ value }: Row) => width(value) > MAX_VALUE
  const [header, rule, ...lines] = formats
    .table({
      columns: [title, 'value', 'from'].map(name => ({ name, type: 'VARCHAR' })),
      rows: rows.map(row => [row.name, isLong(row) ? '' : row.value, row.from]),
      truncated: false,
    })
    .split('\n')
  const shown = rows.flatMap((row, at) => [
    lines[at]!,
    ...(isLong(row) ? broken(printable(row.value)).map(line => `  ${line}`) : []),
  ])
  return [header, rule, ...shown, ''].join('\n')
}

function broken(list: string): string[] {
  const lines: string[] = []
  for (const item of list.split(/(?<=, )/)) {
    const last = lines.at(-1)
    if (last !== undefined && width(last + item) <= MAX_LINE) lines[lines.length - 1] = last + item
    else lines.push(item)
  }
  return lines.map(line => line.trimEnd())
}
