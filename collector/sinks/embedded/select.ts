import {
  type DuckDBConnection,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  type Json,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api'
import { type Handler, Problem } from '../../routes.ts'
import { permit } from './permission.ts'

/** What a query reads: the embedded sink. */
export interface Store {
  connect(): Promise<DuckDBConnection>
  readonly measurements: readonly string[]
}

interface Limits {
  readonly maxRows: number
  /** Of the rows as JSON. While that is written and read, the collector does nothing else. */
  readonly maxCharacters: number
  readonly timeoutMs: number
}

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Times are RFC 3339 in UTC; numbers that a double cannot hold are strings. */
  readonly rows: readonly (readonly Json[])[]
  /** There were more rows than the limit. */
  readonly truncated: boolean
}

/** Each query holds one of libuv's four threads, and the sink needs one to write. */
const MAX_QUERIES = 2

/** `POST /query {sql, maxRows?, timeoutMs?}`; a request may lower the limits, not raise them. */
export function queryRoute(store: Store, limits: Limits): Handler {
  let running = 0
  return async ({ body, signal }) => {
    const { sql, maxRows, timeoutMs } = (body ?? {}) as Record<string, unknown>
    if (typeof sql !== 'string') throw new Problem(400, 'the body must be {"sql": "select …"}')
    if (running >= MAX_QUERIES) throw new Problem(503, `${MAX_QUERIES} queries are running: try again`)
    const bounded = {
      ...limits,
      maxRows: lower(maxRows, limits.maxRows, 'maxRows'),
      timeoutMs: lower(timeoutMs, limits.timeoutMs, 'timeoutMs'),
    }
    running++
    try {
      return await select(store, sql, bounded, signal)
    } finally {
      running--
    }
  }
}

/** Run one SELECT in a read-only transaction, until it ends, has enough rows, or takes too long. */
export async function select(store: Store, sql: string, limits: Limits, gone: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(limits.timeoutMs)
  const stop = AbortSignal.any([timeout, gone])
  const connection = await store.connect()
  // Again and again: DuckDB forgets an interrupt that comes just before a statement begins.
  let interrupting: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    interrupting = setInterval(() => connection.interrupt(), 50)
  }
  stop.addEventListener('abort', interrupt)
  try {
    await permit(connection, sql)
    await connection.run('BEGIN TRANSACTION READ ONLY')
    stop.throwIfAborted()
    return await read(connection, sql, limits, stop)
  } catch (error) {
    if (error instanceof Problem) throw error
    if (timeout.aborted)
      throw new Problem(408, `the query took more than ${limits.timeoutMs} ms and was stopped`)
    throw new Problem(400, explain(error as Error, store.measurements))
  } finally {
    stop.removeEventListener('abort', interrupt)
    clearInterval(interrupting)
    connection.closeSync()
  }
}

async function read(
  connection: DuckDBConnection,
  sql: string,
  { maxRows, maxCharacters }: Limits,
  stop: AbortSignal,
): Promise<Answer> {
  const result = await connection.stream(sql)
  const types = result.columnTypes()
  const columns = result
    .deduplicatedColumnNames()
    .map((name, index) => ({ name, type: String(types[index]) }))
  const rows: (readonly Json[])[] = []
  let characters = 0
  for await (const chunk of result) {
    stop.throwIfAborted()
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

/** `2026-01-02T03:04:05Z`, with milliseconds only when there are some. */
function rfc3339({ micros }: { micros: bigint }): string {
  const date = new Date(Number(micros / 1000n))
  return Number.isNaN(date.getTime()) ? String(micros) : date.toISOString().replace('.000Z', 'Z')
}

function lower(asked: unknown, limit: number, name: string): number {
  if (asked === undefined) return limit
  if (!Number.isInteger(asked) || Number(asked) < 1)
    throw new Problem(400, `${name} must be a positive integer`)
  return Math.min(Number(asked), limit)
}

function explain({ message }: Error, measurements: readonly string[]): string {
  if (!/^Catalog Error: Table with name/.test(message)) return message
  const names = measurements.length > 0 ? measurements.join(', ') : 'none yet'
  return `${message.split('\n', 1)[0]} Measurements: ${names} (put the name in double quotes)`
}
