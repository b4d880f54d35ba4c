import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'
import { Cleanup } from './cleanup.ts'
import { scratch } from './scratch.ts'

export interface SmallDisk {
  readonly path: string
  /** With other options: a larger size, read only. */
  remount(options: string): void
}

/** A file system of so many bytes, until the test has ended; needs root. */
export async function smallDisk(t: Test, size: string): Promise<SmallDisk> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const path = await scratch(cleanup, 'disk')
  const mount = (...words: string[]) => execFileSync('mount', [...words, path], { stdio: 'pipe' })
  mount('-t', 'tmpfs', '-o', `size=${size},mode=700`, 'none')
  cleanup.defer(() => execFileSync('umount', ['-l', path]))
  return { path, remount: options => mount('-o', `remount,${options}`) }
}
