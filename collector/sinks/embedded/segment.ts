import {
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api'
import type { Batch, Samples, Tags, WindowId } from '../../batch.ts'
import { closeToOthers, pathOf } from './files.ts'
import { identifier, literal } from './instance.ts'
import { fileIdentityOf, type Identity, isSame } from './place.ts'

/** Rows in one chunk: DuckDB's vector size. */
const CHUNK_ROWS = 2048

/** Table of the windows and late parts in the file, stored with their samples. Measurements have a colon in the name. */
const WINDOWS = 'windows'

/** A table's columns, in order. The tags `label_App` and `label_app` share one: DuckDB ignores case. */
type Columns = ReadonlyMap<string, DuckDBType>

/** A part of a UTC day in its own file: a table for each measurement. */
export class Segment {
  readonly name: string
  readonly path: string
  readonly #connection: DuckDBConnection
  readonly #file: Identity
  #tables: Map<string, Columns>
  /** Bytes after the last write. */
  bytes = 0

  private constructor(
    connection: DuckDBConnection,
    name: string,
    path: string,
    tables: Map<string, Columns>,
  ) {
    this.#connection = connection
    this.name = name
    this.path = path
    this.#tables = tables
    this.#file = fileIdentityOf(path)!
    this.#protect()
  }

  /**
   * Opens or creates it.
   * @param before the segment before it, whose windows a new one must know
   * @throws if the file is not readable as a segment.
   */
  static async attach(
    connection: DuckDBConnection,
    directory: string,
    name: string,
    before?: string,
  ): Promise<Segment> {
    const path = pathOf(directory, name)
    await connection.run(`ATTACH ${literal(path)} AS ${identifier(name)}`)
    try {
      if (before !== undefined) await takeWindows(connection, name, pathOf(directory, before))
      await connection.run(
        `CREATE TABLE IF NOT EXISTS ${identifier(name)}.${WINDOWS} (host VARCHAR, boot VARCHAR, probe VARCHAR, "window" UBIGINT)`,
      )
      await connection.run(
        `ALTER TABLE ${identifier(name)}.${WINDOWS} ADD COLUMN IF NOT EXISTS part VARCHAR DEFAULT ''`,
      )
      return new Segment(connection, name, path, await tablesOf(connection, name))
    } catch (error) {
      await connection.run(`DETACH ${identifier(name)}`).catch(() => {})
      throw error
    }
  }

  /** Whether its file is still the opened one. */
  get isThere(): boolean {
    return isSame(this.#file, fileIdentityOf(this.path))
  }

  /** Stores a batch in one transaction, all or nothing. A window that is already stored is not stored again. */
  async write({ id, time, samples }: Batch): Promise<void> {
    const tables = new Map(this.#tables)
    await this.#connection.run('BEGIN TRANSACTION')
    try {
      if (!(await this.#holds(id))) {
        const row = [id.host, id.boot, id.probe, BigInt(id.window), id.part ?? '']
        await this.#connection.run(`INSERT INTO ${this.#table(WINDOWS)} VALUES ($1, $2, $3, $4, $5)`, row)
        for (const some of samples) {
          const { name } = some.measurement
          const columns = await this.#fit(some, tables.get(name))
          tables.set(name, columns)
          await this.#append(some, columns, time)
        }
      }
      await this.#connection.run('COMMIT')
    } catch (error) {
      // A failed commit has already ended the transaction.
      await this.#connection.run('ROLLBACK').catch(() => {})
      throw error
    }
    this.#tables = tables
    this.#protect()
  }

  async detach(): Promise<void> {
    await this.#connection.run(`DETACH ${identifier(this.name)}`)
  }

  #protect(): void {
    this.bytes = closeToOthers(this.path)?.size ?? 0
    closeToOthers(`${this.path}.wal`)
  }

  /** A scan without an index: 0.5 ms at 864,000 windows, where a primary key took more than the memory limit. */
  async #holds({ host, boot, probe, window, part }: WindowId): Promise<boolean> {
    const found = await this.#connection.runAndReadAll(
      `SELECT 1 FROM ${this.#table(WINDOWS)}
       WHERE "window" = $1 AND probe = $2 AND boot = $3 AND host = $4 AND part = $5 LIMIT 1`,
      [BigInt(window), probe, boot, host, part ?? ''],
    )
    return found.currentRowCount > 0
  }

  /** Creates the table or adds the columns that these samples need: time, tags, fields, then columns added later. */
  async #fit({ measurement, tags }: Samples, existing: Columns | undefined): Promise<Columns> {
    const table = this.#table(measurement.name)
    const columns = new Map(existing)
    const add = async (name: string, type: DuckDBType) => {
      if (columns.has(name)) return
      columns.set(name, type)
      if (existing) await this.#connection.run(`ALTER TABLE ${table} ADD COLUMN ${column(name, type)}`)
    }
    await add('time', TIMESTAMP)
    const taken = new Set([...columns.keys()].map(name => name.toLowerCase()))
    for (const tag of tagNames(tags)) {
      if (!taken.has(tag.toLowerCase())) await add(tag, VARCHAR)
      taken.add(tag.toLowerCase())
    }
    for (const field of measurement.fields) await add(field, DOUBLE)
    if (!existing) {
      const list = columns.entries().map(([name, type]) => column(name, type))
      await this.#connection.run(`CREATE TABLE ${table} (${[...list].join(', ')})`)
    }
    return columns
  }

  async #append(samples: Samples, columns: Columns, time: number): Promise<void> {
    const spellings = Map.groupBy(tagNames(samples.tags), tag => tag.toLowerCase())
    const appender = await this.#connection.createAppender(samples.measurement.name, 'main', this.name)
    try {
      for (let start = 0; start < samples.count; start += CHUNK_ROWS) {
        const length = Math.min(CHUNK_ROWS, samples.count - start)
        const chunk = DuckDBDataChunk.create([...columns.values()], length)
        const rows = Array.from({ length }, (_, at) => start + at)
        chunk.setColumns(
          [...columns].map(([name, type]) => {
            const of = reader(samples, name, type, time, spellings.get(name.toLowerCase()) ?? [])
            return rows.map(of)
          }),
        )
        appender.appendDataChunk(chunk)
      }
    } finally {
      appender.closeSync()
    }
  }

  #table(name: string): string {
    return `${identifier(this.name)}.main.${identifier(name)}`
  }
}

/** In one transaction, so that a segment either knows the windows before it or is created again. */
async function takeWindows(connection: DuckDBConnection, name: string, path: string): Promise<void> {
  const windows = `${identifier(name)}.${WINDOWS}`
  await connection.run(`ATTACH ${literal(path)} AS "before" (READ_ONLY)`)
  try {
    await connection.run(`CREATE TABLE IF NOT EXISTS ${windows} AS SELECT * FROM "before".${WINDOWS}`)
  } finally {
    await connection.run('DETACH "before"')
  }
}

async function tablesOf(connection: DuckDBConnection, day: string): Promise<Map<string, Columns>> {
  const result = await connection.runAndReadAll(
    `SELECT table_name, column_name, data_type FROM duckdb_columns()
     WHERE database_name = $1 AND table_name <> $2 ORDER BY table_name, column_index`,
    [day, WINDOWS],
  )
  const types: Record<string, DuckDBType> = { TIMESTAMP, VARCHAR, DOUBLE }
  const tables = new Map<string, Map<string, DuckDBType>>()
  for (const [table, name, type] of result.getRowsJson() as string[][]) {
    const columns = tables.get(table!) ?? new Map()
    tables.set(table!, columns.set(name!, types[type!]))
  }
  return tables
}

function column(name: string, type: DuckDBType): string {
  return `${identifier(name)} ${type}`
}

const tagNames = (tags: readonly Tags[]): string[] =>
  [...new Set([...new Set(tags)].flatMap(Object.keys))].sort()

/**
 * The values of these samples in one column; null if missing or not a finite number.
 * @param spellings of a tag; if a sample has two of them, the first counts
 */
function reader(
  { measurement, tags, values }: Samples,
  name: string,
  type: DuckDBType,
  time: number,
  spellings: readonly string[],
): (sample: number) => DuckDBValue {
  if (type === TIMESTAMP) {
    const value = new DuckDBTimestampValue(BigInt(time) * 1_000_000n)
    return () => value
  }
  if (type === VARCHAR) return sample => spellings.map(tag => tags[sample]![tag]).find(Boolean) ?? null
  const { fields } = measurement
  const at = fields.indexOf(name)
  return sample => {
    const value = at < 0 ? Number.NaN : values[sample * fields.length + at]!
    return Number.isFinite(value) ? value : null
  }
}
