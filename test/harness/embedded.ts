import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Test } from 'tap'
import { EmbeddedSink } from '../../collector/sinks/embedded/embedded.ts'
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

/** The rows of a query that runs beside the sink. */
export async function rows(sink: EmbeddedSink, sql: string) {
  const connection = await sink.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson()
  } finally {
    connection.closeSync()
  }
}
