/** The files of a directory that may have objects, and when each changed last. */

import { type Dirent, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'

const KINDS = new Set(['.yaml', '.yml', '.json'])
const MAX_FILES = 4096
const MAX_DEPTH = 8

export interface FileState {
  readonly path: string
  /** Equal means unchanged. */
  readonly state: string
  readonly bytes: number
}

export interface Listing {
  readonly files: readonly FileState[]
  /** There are more than we read. */
  readonly isCut: boolean
}

/**
 * By path. Links are followed: a mounted ConfigMap has each file behind two; what begins with a dot is theirs.
 * @throws {NodeJS.ErrnoException} when the directory itself cannot be read
 */
export function listFiles(directory: string): Listing {
  const files: FileState[] = []
  const isCut = !walk(directory, 0, files)
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), isCut }
}

function walk(directory: string, depth: number, files: FileState[]): boolean {
  let isWhole = true
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) isWhole = below(entry, path, depth, files) && isWhole
    else if (found?.isFile() && KINDS.has(extname(entry.name))) {
      if (files.length === MAX_FILES) return false
      const { ino, size, mtimeMs } = found
      files.push({ path, state: `${ino} ${size} ${mtimeMs}`, bytes: size })
    }
  }
  return isWhole
}

/** A link to a directory is not followed: it could lead back. */
function below(entry: Dirent, path: string, depth: number, files: FileState[]): boolean {
  if (entry.isSymbolicLink()) return true
  if (depth === MAX_DEPTH) return false
  try {
    return walk(path, depth + 1, files)
  } catch {
    return false // it went away, or is not ours to read
  }
}
