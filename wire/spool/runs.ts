/**
 * The directories of a spool: one for each run of a program, named by its number. A run whose process has ended belongs
 * to whoever renames its directory first; it is then below that one's own. Should that one end, too, what it took over is
 * found there.
 */

import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ownDirectory } from './directory.ts'
import { isOwned, own } from './owner.ts'

export interface OwnRun {
  readonly path: string
  /** Nobody owns it any more. */
  leave(): Promise<void>
}

const NAME = /^(\d{8})-[0-9a-f]{8}$/
/** One that is being made; and what is left of one that was not finished after so long. */
const NEW = /^new-[0-9a-f]{8}$/
const ABANDONED_MS = 60_000

const numberOf = (name: string): number => Number(NAME.exec(name)?.[1] ?? 0)

/** Makes a directory's entries durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** @returns names of runs, oldest first */
async function runsIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory() && NAME.test(entry.name)).map(({ name }) => name)
  return names.sort()
}

/** A new one. It gets its name when it is owned: nobody takes it over before. */
export async function makeRun(root: string): Promise<OwnRun> {
  ownDirectory(root)
  const id = randomBytes(4).toString('hex')
  const number = numberOf((await runsIn(root)).at(-1) ?? '') + 1
  const path = join(root, `${String(number).padStart(8, '0')}-${id}`)
  const unnamed = join(root, `new-${id}`)
  await mkdir(unnamed, { mode: 0o700 })
  try {
    const leave = await own(unnamed)
    try {
      await rename(unnamed, path)
    } catch (error) {
      await leave()
      throw error
    }
    return { path, leave }
  } catch (error) {
    await rm(unnamed, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

/** Whether a run has ended and left something. */
export async function hasEndedRuns(root: string): Promise<boolean> {
  for (const name of await readdir(root))
    if (NAME.test(name) && !(await isOwnedAt(join(root, name)))) return true
  return false
}

/**
 * Takes over all runs that have ended.
 * @returns their directories, below the own one, oldest first
 */
export async function takeOver(root: string, own: string): Promise<string[]> {
  for (const name of await readdir(root)) {
    const path = join(root, name)
    if (NEW.test(name) && Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true })
    if (!NAME.test(name) || path === own || (await isOwnedAt(path))) continue
    const taken = join(own, name)
    try {
      await rename(path, taken)
    } catch {
      continue // another process was faster, or it is another user's
    }
    for (const inner of await runsIn(taken)) await rename(join(taken, inner), join(own, inner))
  }
  return (await runsIn(own)).map(name => join(own, name))
}

const isOwnedAt = (path: string): Promise<boolean> => isOwned(path).catch(() => true)
