/** The files of the store: a day is one segment or more, `2026-01-02.duckdb`, `2026-01-02.1.duckdb`. */

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, join } from 'node:path'

/** Size at which a new segment begins: a query must copy the segment that is being written. */
export const SEGMENT_BYTES = 64 * 2 ** 20
/**
 * DuckDB holds about one block for each column of a file that is written: 264 columns take 23 MB, 500 take 35 MB.
 * Its default of 256 kB exceeded the memory limit. A file keeps the block size it was created with.
 */
export const BLOCK_BYTES = 16_384

const OWNER_FILE = 0o600
const MODE = 0o777
const SEGMENT = /^(\d{4}-\d\d-\d\d)(?:\.(\d+))?\.duckdb$/

export interface SegmentFile {
  /** `2026-01-02` or `2026-01-02.1`: also its name in DuckDB. */
  readonly name: string
  readonly day: string
  /** 0 for the first of the day. */
  readonly number: number
}

export const pathOf = (directory: string, name: string): string => join(directory, `${name}.duckdb`)

/** Segments, the oldest first. */
export function segmentsIn(directory: string): SegmentFile[] {
  if (!existsSync(directory)) return []
  const files = readdirSync(directory).flatMap(file => {
    const [, day, number = '0'] = SEGMENT.exec(file) ?? []
    return day ? { name: basename(file, '.duckdb'), day, number: Number(number) } : []
  })
  return files.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.number - b.number))
}

/** All files of the directory; a link, a FIFO or a socket has no size of its own. */
export function filesIn(directory: string): { name: string; bytes: number }[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const stat = !entry.isDirectory() && lstatSync(join(directory, entry.name), { throwIfNoEntry: false })
    return stat ? { name: entry.name, bytes: stat.isFile() ? stat.size : 0 } : []
  })
}

export function lastOf(directory: string, day: string): SegmentFile | undefined {
  return segmentsIn(directory).findLast(file => file.day === day)
}

/** All files of these days, including logs and damaged files. */
export function removeDays(directory: string, days: readonly string[]): void {
  for (const { name } of filesIn(directory))
    if (days.some(day => name.startsWith(`${day}.`))) unlinkSync(join(directory, name))
}

/** The name of a day's next segment. */
export function nextAfter(day: string, last: SegmentFile | undefined): string {
  return last ? `${day}.${last.number + 1}` : day
}

/** Whether the segment can still be written. */
export const hasRoom = (path: string): boolean => statSync(path).size < SEGMENT_BYTES && !hasLargeBlocks(path)

/** Whether an older version made it, with DuckDB's default block size. Such a file is read; writes go to another one. */
function hasLargeBlocks(path: string): boolean {
  const file = openRegular(path)
  try {
    const header = Buffer.alloc(8)
    // the first database header at 4096: checksum, iteration, two pointers, count of blocks, size of a block
    return readSync(file, header, 0, 8, 4096 + 40) === 8 && header.readBigUInt64LE() === 262_144n
  } finally {
    closeSync(file)
  }
}

/** Reads without waiting for anyone, and through no link: another program may have replaced the file. */
export const openRegular = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)

/** Whether it is a file itself. */
export const isRegular = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Whether it is a file, or a link to one: reading it waits for nobody. */
export function isReadable(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false // removed, or a link that leads nowhere
  }
}

/** DuckDB creates files with the umask's mode. @returns undefined if there is no file */
export function closeToOthers(path: string): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) return undefined
  if ((stat.mode & MODE) !== OWNER_FILE) chmodSync(path, OWNER_FILE)
  return stat
}
