/**
 * What stands in a segment's place and is no regular file. Opening a FIFO waits for its other end, with the whole
 * collector; through a link DuckDB would write to a file outside the store.
 */

import { lstatSync, readdirSync, renameSync, type Stats } from 'node:fs'
import { join } from 'node:path'

const PLACE = /^(\d{4}-\d\d-\d\d)(?:\.\d+)?\.duckdb(\.wal)?$/

interface OddFile {
  readonly path: string
  readonly isLog: boolean
  /** `a FIFO` */
  readonly kind: string
}

/** In the places of this day's segments and logs. */
export const oddFilesOf = (directory: string, day: string): OddFile[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const [, of, log] = PLACE.exec(entry.name) ?? []
    if (of !== day || entry.isFile()) return []
    const path = join(directory, entry.name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    return stat && !stat.isFile() ? [{ path, isLog: log !== undefined, kind: kindOf(stat) }] : []
  })

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link'
  if (stat.isFIFO()) return 'a FIFO'
  if (stat.isSocket()) return 'a socket'
  if (stat.isDirectory()) return 'a directory'
  return 'a device'
}

/**
 * Renames a file of the store and its log, so that the day can begin again and the files can be examined. Of a link, the
 * link itself. The name tells the second; a name that is taken is not used again.
 */
export function setAside(path: string, seconds: number, suffixes: readonly string[] = ['', '.wal']): string {
  let at = seconds
  while (['', '.wal'].some(suffix => exists(`${path}.damaged-${at}${suffix}`))) at++
  const aside = `${path}.damaged-${at}`
  for (const suffix of suffixes) if (exists(path + suffix)) renameSync(path + suffix, aside + suffix)
  return aside
}

/** Also of a link that leads nowhere. */
export const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined
