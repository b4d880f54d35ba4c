import {
  type DuckDBConnection,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  type Json,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api'
import { Problem } from '../../../routes.ts'
import { permit } from '../permission.ts'
import type { Opened } from './open.ts'
import { unknownTable } from './unknown_table.ts'

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Times are RFC 3339 in UTC; numbers that a double cannot represent are strings. */
  readonly rows: readonly (readonly Json[])[]
  /** The limit cut rows off. */
  readonly truncated: boolean
  /** Messages about files of the store that could not be read. */
  readonly notes?: readonly string[]
}

export interface Bounds {
  readonly maxRows: number
  /** Most characters of the rows as JSON. */
  readonly maxCharacters: number
}

/**
 * Runs one SELECT in a read-only transaction, until it ends or has enough rows.
 * @throws {Problem} with what is not allowed, or DuckDB's message
 */
export async function answer(opened: Opened, sql: string, bounds: Bounds): Promise<Answer> {
  const { connection, measurements, notes } = opened
  try {
    await permit(connection, sql)
    await connection.run('BEGIN TRANSACTION READ ONLY')
    const result = await read(connection, sql, bounds)
    return notes.length > 0 ? { ...result, notes } : result
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(400, explain(error as Error, measurements))
  } finally {
    await connection.run('ROLLBACK').catch(() => {})
  }
}

async function read(
  connection: DuckDBConnection,
  sql: string,
  { maxRows, maxCharacters }: Bounds,
): Promise<Answer> {
  const result = await connection.stream(sql)
  const types = result.columnTypes()
  const columns = result
    .deduplicatedColumnNames()
    .map((name, index) => ({ name, type: String(types[index]) }))
  const rows: (readonly Json[])[] = []
  let characters = 0
  for await (const chunk of result) {
    for (const row of chunk.convertRows(toJson) as Json[][]) {
      if (rows.length === maxRows) return { columns, rows, truncated: true }
      characters += JSON.stringify(row).length
      if (characters > maxCharacters)
        throw new Problem(
          413,
          `the answer has more than ${maxCharacters} characters: ask for fewer rows or columns`,
        )
      rows.push(row)
    }
  }
  return { columns, rows, truncated: false }
}

function toJson(value: DuckDBValue, type: DuckDBType, self: typeof toJson): Json {
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return rfc3339(value)
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return JsonDuckDBValueConverter(value, type, self)
}

/** `2026-01-02T03:04:05Z`, with milliseconds only if they are not zero. */
function rfc3339({ micros }: { micros: bigint }): string {
  const date = new Date(Number(micros / 1000n))
  return Number.isNaN(date.getTime()) ? String(micros) : date.toISOString().replace('.000Z', 'Z')
}

function explain({ message }: Error, measurements: readonly string[]): string {
  if (/^Out of Memory Error/.test(message))
    return `${message.split('\n', 1)[0]} Ask for fewer rows, columns or days`
  return unknownTable(message, measurements) ?? message
}
