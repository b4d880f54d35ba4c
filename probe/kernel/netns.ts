/** The network namespaces of this host. */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The process has ended. */
export const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')

/** @returns undefined for a process that is gone, or that may not be inspected */
function inodeOf(file: string): number | undefined {
  try {
    return statSync(file).ino
  } catch {
    return undefined
  }
}

/** A file for each network namespace that a process is in. */
export function networkNamespaces(proc: string): string[] {
  const files = new Map<number, string>()
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue
    const file = join(proc, name, 'ns/net')
    const inode = inodeOf(file)
    if (inode !== undefined && !files.has(inode)) files.set(inode, file)
  }
  return [...files.values()]
}
