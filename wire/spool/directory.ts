/** Directories of a spool: for their owner alone, and where nobody else can put files that we would read or write. */

import { lstatSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ours, pathFault } from '../link/trusted_path.ts'

const MODE = 0o700

/**
 * A directory that is ours, made with those above it when it is not there.
 * @throws {Error} of the file system, or with the remedy when other users can write there
 */
export function ownDirectory(path: string): void {
  // one by one: `recursive` never returns where the kernel says ENOENT, as in /proc
  for (const at of missingOf(resolve(path)))
    try {
      mkdirSync(at, { mode: MODE })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process was faster
    }
  trust(path, 'directory')
}

/** From the uppermost down. @throws when others can write to the one above */
function missingOf(path: string): string[] {
  const missing: string[] = []
  let at = path
  for (; !lstatSync(at, { throwIfNoEntry: false }); at = dirname(at)) missing.unshift(at)
  trust(at, 'parent')
  return missing
}

function trust(path: string, as: 'directory' | 'parent'): void {
  const fault = pathFault(path, ours, as)
  if (fault !== undefined) throw new Error(fault)
}
