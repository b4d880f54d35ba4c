import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'

/** The names of these directories; the first group is the pid. */
export const SCRATCH_NAME = /^sockflux-[a-z]+-(\d+)-/

/** A private directory whose name tells the process that made it; it goes with the cleanup. */
export async function scratch(cleanup: Cleanup, purpose: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `sockflux-${purpose}-${process.pid}-`))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  return directory
}
