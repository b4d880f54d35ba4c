/** The files of the package before it is packed. */

import { chmodSync, lstatSync, lutimesSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Entry {
  /** From the root of the package: `usr/bin/sockflux`. */
  readonly path: string
  readonly kind: 'file' | 'directory' | 'link'
  /** Bytes of a file, else 0. */
  readonly size: number
}

/** All entries below, sorted by name. */
export function entriesOf(root: string, below = ''): Entry[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): Entry[] => {
      const path = join(below, entry.name)
      if (entry.isDirectory()) return [{ path, kind: 'directory', size: 0 }, ...entriesOf(root, path)]
      if (entry.isSymbolicLink()) return [{ path, kind: 'link', size: 0 }]
      return [{ path, kind: 'file', size: lstatSync(join(root, path)).size }]
    })
}

const isElf = (path: string): boolean => readFileSync(path).subarray(0, 4).equals(Buffer.from('\x7fELF'))
/** Executables and shared objects for this machine; the BPF object is for the kernel's. */
export const binaries = (root: string, entries: readonly Entry[]): string[] =>
  entries
    .filter(({ path, kind }) => kind === 'file' && !path.endsWith('.bpf.o'))
    .map(({ path }) => join(root, path))
    .filter(isElf)

/**
 * The same modes and times on every machine: all read, the owner writes, and a script or program may be run.
 * @param seconds since 1970, of every file
 */
export function settle(root: string, seconds: number): void {
  const isProgram = (path: string) => /^(DEBIAN\/(post|pre)\w+|.*\/build\/sockflux|.*\/bin\/node)$/.test(path)
  for (const { path, kind } of entriesOf(root)) {
    const full = join(root, path)
    if (kind !== 'link') chmodSync(full, kind === 'directory' || isProgram(path) ? 0o755 : 0o644)
    lutimesSync(full, seconds, seconds)
  }
  chmodSync(root, 0o755)
  lutimesSync(root, seconds, seconds)
}
