/** The files of the store: a day is one segment or more, `2026-01-02.duckdb`, `2026-01-02.1.duckdb`. */

import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, join } from 'node:path'

/** A segment is not written to beyond this: a query has to copy what is being written. */
export const SEGMENT_BYTES = 64 * 2 ** 20
/**
 * DuckDB holds about one block for each column of a file that is written: 264 columns take 23 MB, 500 take 35 MB.
 * Its own 256 kB did not fit into the limit. A file keeps the block size that it was made with.
 */
export const BLOCK_BYTES = 16_384

const OWNER_FILE = 0o600
const MODE = 0o777
const SEGMENT = /^(\d{4}-\d\d-\d\d)(?:\.(\d+))?\.duckdb$/

export interface SegmentFile {
  /** `2026-01-02` or `2026-01-02.1`: also what DuckDB calls it. */
  readonly name: string
  readonly day: string
  /** 0 for the first of the day. */
  readonly number: number
}

export const pathOf = (directory: string, name: string): string => join(directory, `${name}.duckdb`)

/** The oldest first, as they were begun. */
export function segmentsIn(directory: string): SegmentFile[] {
  if (!existsSync(directory)) return []
  const files = readdirSync(directory).flatMap(file => {
    const [, day, number = '0'] = SEGMENT.exec(file) ?? []
    return day ? { name: basename(file, '.duckdb'), day, number: Number(number) } : []
  })
  return files.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.number - b.number))
}

/** Everything in the directory that is a file. */
export function filesIn(directory: string): { name: string; bytes: number }[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const stat = entry.isFile() && statSync(join(directory, entry.name), { throwIfNoEntry: false })
    return stat ? { name: entry.name, bytes: stat.size } : []
  })
}

export function lastOf(directory: string, day: string): SegmentFile | undefined {
  return segmentsIn(directory).findLast(file => file.day === day)
}

/** All their files, also logs and what is damaged. */
export function removeDays(directory: string, days: readonly string[]): void {
  for (const { name } of filesIn(directory))
    if (days.some(day => name.startsWith(`${day}.`))) unlinkSync(join(directory, name))
}

/** What the next segment of a day is called. */
export function nextAfter(day: string, last: SegmentFile | undefined): string {
  return last ? `${day}.${last.number + 1}` : day
}

/** Whether more can be written to it. */
export const hasRoom = (path: string): boolean => statSync(path).size < SEGMENT_BYTES && !hasLargeBlocks(path)

/** Whether it was made by a version with DuckDB's own block size. Such a file is read, and carried on in another. */
function hasLargeBlocks(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(8)
    // the first database header at 4096: checksum, iteration, two pointers, count of blocks, size of a block
    return readSync(file, header, 0, 8, 4096 + 40) === 8 && header.readBigUInt64LE() === 262_144n
  } finally {
    closeSync(file)
  }
}

/** DuckDB makes files as the umask says. @returns undefined when there is none */
export function closeToOthers(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat && (stat.mode & MODE) !== OWNER_FILE) chmodSync(path, OWNER_FILE)
  return stat
}
