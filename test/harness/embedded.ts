import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { pino } from 'pino'
import type { Test } from 'tap'
import { EmbeddedSink } from '../../collector/sinks/embedded/embedded.ts'
import { openSegments } from '../../collector/sinks/embedded/query/open.ts'
import { start } from './samples.ts'

/** A directory that goes away with the test. */
export async function temporary(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export async function openStore(
  t: Test,
  directory: string,
  options: { maxAgeDays?: number; maxBytes?: number; now?: () => number; lines?: string[] } = {},
) {
  const { lines = [], ...bounds } = options
  const sink = await EmbeddedSink.open({
    directory,
    maxAgeDays: 7,
    maxBytes: 1 << 30,
    now: () => start * 1000,
    log: pino({}, { write: line => lines.push(JSON.parse(line).msg) }),
    ...bounds,
  })
  t.teardown(() => sink.close())
  return sink
}

/** The rows of a query, from the files that a query gets. */
export async function rows(sink: EmbeddedSink, sql: string) {
  const loan = await sink.lend()
  const opened = await openSegments(loan.files, sql)
  try {
    for (const note of opened.notes) throw new Error(note)
    return (await opened.connection.runAndReadAll(sql)).getRowsJson()
  } finally {
    opened.close()
    loan.release()
  }
}

/** Statements in a file that no store has open. */
export async function inFile(path: string, ...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  for (const sql of statements) await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}
