/** The repository for another user: it may lie where only its owner can enter, such as below /root, and stays as it is. */

import { chmod } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { scratch } from './scratch.ts'

export const REPOSITORY = join(import.meta.dirname, '../..')

/** Where a path of the repository, or of another place, is when the repository is mounted at `place`. */
export function seenAt(place: string, path: string): string {
  const inside = relative(REPOSITORY, path)
  return inside.startsWith('..') ? path : join(place, inside)
}

export interface Shown {
  /** Runs the command that follows in a mount namespace that has the repository at another place, too, and there. */
  readonly behind: readonly string[]
  at(path: string): string
}

/** A place that every user can enter. */
export async function showRepository(cleanup: Cleanup): Promise<Shown> {
  const place = await scratch(cleanup, 'repository')
  await chmod(place, 0o755)
  const shell = 'mount --bind "$0" "$1" && cd "$1" && shift && exec "$@"'
  const behind = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', shell, REPOSITORY, place]
  return { behind, at: path => seenAt(place, path) }
}

/** A word for `sh`. */
export const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
