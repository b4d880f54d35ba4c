/** The tables that a query sees: one for each measurement, over all segments. */

import { catalogue } from '../../../metrics/catalogue.ts'
import { type Metric, tagsOf } from '../../../metrics/metric.ts'
import { identifier } from '../instance.ts'

/** `TIMESTAMP`, `VARCHAR` or `DOUBLE`, by column. */
export type Columns = ReadonlyMap<string, string>

export interface Part {
  /** The file's name in DuckDB. */
  readonly file: string
  readonly columns: Columns
}

/** A measurement's columns in the catalogue, with or without samples. Labels are added by their samples. */
export function columnsOf(metric: Metric): Columns {
  const tags = tagsOf(metric).filter(tag => !tag.endsWith('*'))
  return new Map([
    ['time', 'TIMESTAMP'],
    ...tags.map(tag => [tag, 'VARCHAR'] as const),
    ...metric.fields.map(({ name }) => [name, 'DOUBLE'] as const),
  ])
}

/**
 * The SQL that creates it. A measurement that the query does not name becomes an empty table: a view over hundreds of
 * segments takes time.
 */
export function tableOf(name: string, parts: readonly Part[], isNamed: boolean): string {
  const metric = catalogue.find(metric => metric.name === name)
  const columns = together([...(metric ? [columnsOf(metric)] : []), ...parts.map(({ columns }) => columns)])
  const table = `memory.main.${identifier(name)}`
  if (!isNamed || parts.length === 0)
    return `CREATE TABLE ${table} (${columns.map(({ name, type }) => `${identifier(name)} ${type}`).join(', ')})`
  const selects = parts.map(({ file, columns: has }) => {
    const there = new Map([...has].map(([name, type]) => [name.toLowerCase(), type]))
    const list = columns.map(({ name, type }) => {
      const stored = there.get(name.toLowerCase())
      if (stored === type) return identifier(name)
      return `CAST(${stored ? identifier(name) : 'NULL'} AS ${type}) AS ${identifier(name)}`
    })
    return `SELECT ${list.join(', ')} FROM ${identifier(file)}.main.${identifier(name)}`
  })
  return `CREATE VIEW ${table} AS ${selects.join(' UNION ALL ')}`
}

/** Time, tags, fields. DuckDB ignores case in names; a column with more than one type becomes text. */
function together(all: readonly Columns[]): { name: string; type: string }[] {
  const columns = new Map<string, { name: string; type: string }>()
  for (const [name, type] of all.flatMap(columns => [...columns])) {
    const known = columns.get(name.toLowerCase())
    if (!known) columns.set(name.toLowerCase(), { name, type })
    else if (known.type !== type) known.type = 'VARCHAR'
  }
  const rank = ({ type }: { type: string }) => ['TIMESTAMP', 'VARCHAR', 'DOUBLE'].indexOf(type)
  return [...columns.values()].sort((a, b) => rank(a) - rank(b))
}
