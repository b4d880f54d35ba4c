/** The files of a directory that may have objects, and when each changed last. */

import { type Dirent, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'

export const EXTENSIONS = new Set(['.yaml', '.yml', '.json'])
const MAX_FILES = 4096
const MAX_DEPTH = 8

export interface FileState {
  readonly path: string
  /** Equal means unchanged. */
  readonly state: string
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly changed: number
}

/** A file, or a directory with all below it. */
export interface Fault {
  readonly path: string
  /** `EACCES`. */
  readonly code: string
}

export interface Listing {
  readonly files: readonly FileState[]
  /** What could not be looked at. */
  readonly faults: readonly Fault[]
  /** There are more than we read. */
  readonly isCut: boolean
}

/**
 * By path. Links to files are followed: a mounted ConfigMap has each file behind two; what begins with a dot is theirs.
 * @throws {NodeJS.ErrnoException} when the directory itself cannot be read
 */
export function listFiles(directory: string): Listing {
  const found: Walked = { files: [], faults: [] }
  const isCut = !walk(directory, 0, found)
  return { files: found.files.toSorted(byPath), faults: found.faults, isCut }
}

export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0

interface Walked {
  readonly files: FileState[]
  readonly faults: Fault[]
}

/** @returns whether it is all there is */
function walk(directory: string, depth: number, found: Walked): boolean {
  let isWhole = true
  const entries = readdirSync(directory, { withFileTypes: true })
  // of too many always the same are left out
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    try {
      isWhole = look(entry, path, depth, found) && isWhole
    } catch (error) {
      // one that went away meanwhile is no fault; a link that leads nowhere is
      const { code = 'unknown' } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' || entry.isSymbolicLink()) found.faults.push({ path, code })
    }
  }
  return isWhole
}

/** A link to a directory is not followed: it could lead back. */
function look(entry: Dirent, path: string, depth: number, found: Walked): boolean {
  const isNamed = EXTENSIONS.has(extname(entry.name).toLowerCase())
  if (entry.isDirectory()) return depth < MAX_DEPTH && walk(path, depth + 1, found)
  if (!isNamed) return true
  if (found.files.length + found.faults.length >= MAX_FILES) return false
  const status = statSync(path)
  if (!status.isFile()) return true
  const { ino, size, mtimeMs, ctimeMs } = status
  // the time of its content can be set by hand; another right to read it shows in the other one
  found.files.push({ path, state: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, bytes: size, changed: mtimeMs })
  return true
}
