/** Tells a damaged file from a problem of the machine. */

import { closeSync, copyFileSync, existsSync, fstatSync, readSync, renameSync, truncateSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { openRegular } from './files.ts'
import { ALONE, literal } from './instance.ts'

/** A log begins with an entry that has its version. */
const LOG_BEGINS = Buffer.from([0x64, 0x00, 0x62, 0x65, 0x00])
const LOG_HEADER = 8
/** Each entry has its length and its checksum before it. */
const ENTRY_HEADER = 16

/** DuckDB's messages about a damaged file. Any other error may pass. */
const CORRUPT =
  /not a valid DuckDB database file|Corrupt database file|Could not read enough bytes|^(INTERNAL|FATAL|Serialization) Error/

export const isCorrupt = ({ message }: Error): boolean => CORRUPT.test(message)

export const isLogDamage = ({ message }: Error): boolean => /while replaying WAL file/.test(message)

/** The instance has no memory left and is opened again. */
export const isMemory = (error: Error): boolean =>
  !isLogDamage(error) &&
  /^Out of Memory Error|could not allocate|Allocation failure|bad_alloc/i.test(error.message)

/** Opens the file alone, with nothing else in memory, to see whether the file itself is damaged. */
export async function isDamaged(path: string): Promise<boolean> {
  const instance = await DuckDBInstance.create(':memory:', { ...ALONE, memory_limit: '256MB' })
  const connection = await instance.connect()
  try {
    await connection.run(`ATTACH ${literal(path)} AS alone (READ_ONLY)`)
    return false
  } catch (error) {
    return isCorrupt(error as Error)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** Whether there is a log that DuckDB would ignore silently, as it does when it does not recognise the beginning. */
export function hasForeignLog(path: string): boolean {
  const log = `${path}.wal`
  if (!existsSync(log)) return false
  const file = openRegular(log)
  try {
    const begin = Buffer.alloc(LOG_BEGINS.length)
    return readSync(file, begin, 0, begin.length, 0) === begin.length && !begin.equals(LOG_BEGINS)
  } finally {
    closeSync(file)
  }
}

/**
 * Cuts a log before its first entry that cannot be read, and keeps the cut part beside it. The entries before it were
 * acknowledged and are replayed.
 * @param error DuckDB's error, with the offset if it compared a checksum; undefined: cut the whole log
 */
export function cutLog(path: string, seconds: number, error?: Error): string {
  const log = `${path}.wal`
  const aside = `${path}.damaged-${seconds}.wal`
  const [, place] = /entry at byte position (\d+)/.exec(error?.message ?? '') ?? []
  const end = error ? (place === undefined ? firstUnreadable(log) : Number(place) - ENTRY_HEADER) : 0
  if (end <= LOG_HEADER) renameSync(log, aside)
  else {
    copyFileSync(log, aside)
    truncateSync(log, end)
  }
  return aside
}

/** The first entry that is longer than the rest of the file. */
function firstUnreadable(log: string): number {
  const file = openRegular(log)
  try {
    const { size } = fstatSync(file)
    const length = Buffer.alloc(8)
    let at = LOG_HEADER
    while (at + ENTRY_HEADER <= size && readSync(file, length, 0, 8, at) === 8) {
      const next = BigInt(at + ENTRY_HEADER) + length.readBigUInt64LE()
      if (next > size) break
      at = Number(next)
    }
    return at
  } finally {
    closeSync(file)
  }
}

/** DuckDB's messages continue with a hint and the statement. */
export function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? ''
}
