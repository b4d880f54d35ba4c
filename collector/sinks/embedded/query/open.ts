import { basename } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { catalogue } from '../../../metrics/catalogue.ts'
import { ALONE, identifier, literal } from '../instance.ts'
import { type Part, tableOf } from './columns.ts'

/** Of the memory that DuckDB counts. Vectors are not counted, so the process is watched as well. */
const MEMORY_LIMIT = '256MB'
/** Bound of DuckDB's memory for the tables of open files, some 0.5 MB each; the rest is for the query. */
const ATTACH_BYTES = 192 * 2 ** 20

export interface Opened {
  readonly connection: DuckDBConnection
  readonly measurements: readonly string[]
  /** Messages about files that could not be opened. */
  readonly notes: readonly string[]
  close(): void
}

/**
 * The segments, read-only, and a table for each measurement over them; locked down before the query runs: no other
 * file, no network, no extension, and no way to change that.
 * @param sql only measurements named in it get their segments
 * @param maxBytes bound of the open files' memory
 */
export async function openSegments(
  files: readonly string[],
  sql: string,
  maxBytes = ATTACH_BYTES,
): Promise<Opened> {
  const instance = await DuckDBInstance.create(':memory:', { ...ALONE, memory_limit: MEMORY_LIMIT })
  const connection = await instance.connect()
  const notes: string[] = []
  // Samples are in UTC, and so must now() be: the host's time zone must not matter.
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  const before = process.memoryUsage.rss()
  for (const file of newestFirst(files)) {
    const name = basename(file, '.duckdb')
    if (process.memoryUsage.rss() - before > maxBytes) {
      notes.push(
        `${name} and older files were not read, they are too many for one query: name the days with --from and --to`,
      )
      break
    }
    await connection
      .run(`ATTACH ${literal(file)} AS ${identifier(name)} (READ_ONLY)`)
      .catch((error: Error) => {
        // removed by the retention meanwhile
        if (!/does not exist/.test(error.message)) notes.push(`${name} could not be read: ${error.message}`)
      })
  }
  await connection.run('SET enable_external_access = false')
  const parts = await partsOf(connection)
  const measurements = [...new Set([...catalogue.map(({ name }) => name), ...parts.keys()])]
  const text = sql.toLowerCase()
  for (const name of measurements)
    await connection.run(
      tableOf(name, parts.get(name) ?? [], text.includes(identifier(name).slice(1, -1).toLowerCase())),
    )
  await connection.run('SET lock_configuration = true')
  return {
    connection,
    measurements,
    notes,
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** By measurement. */
async function partsOf(connection: DuckDBConnection): Promise<ReadonlyMap<string, readonly Part[]>> {
  const result = await connection.runAndReadAll(
    `SELECT table_name, database_name, list(column_name ORDER BY column_index), list(data_type ORDER BY column_index)
     FROM duckdb_columns() WHERE NOT internal AND (contains(table_name, ':') OR table_name = 'flows')
     GROUP BY database_oid, database_name, table_name ORDER BY database_oid, table_name`,
  )
  const parts = new Map<string, Part[]>()
  for (const [table, file, names, types] of result.getRowsJson() as [string, string, string[], string[]][]) {
    const columns = new Map(names.map((name, index) => [name, types[index]!]))
    parts.set(table, [...(parts.get(table) ?? []), { file, columns }])
  }
  return parts
}

/** Days in the future, which should not exist, come after all others. */
function newestFirst(files: readonly string[]): string[] {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const isAhead = (file: string) => basename(file).slice(0, 10) > tomorrow
  const newest = files.toReversed()
  return [...newest.filter(file => !isAhead(file)), ...newest.filter(isAhead)]
}
