/**
 * Files in directories of other users, who may put anything there: what could block (a pipe, a device) is not read, and root
 * writes nothing, because a link would lead it to any file of the machine.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'

const { O_RDONLY, O_NONBLOCK } = constants

/** Made by a package, or by hand; never by a program. */
export const STATE = '/var/lib/sockflux'

/** @throws {Error} also when it is no file, or a larger one */
export function readForeign(path: string, maxBytes: number): string {
  const file = openSync(path, O_RDONLY | O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error(`${path} is no file`)
    if (stat.size > maxBytes) throw new Error(`${path} has ${stat.size} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** For reading. @throws {NodeJS.ErrnoException} of `open`, also when it is no file */
export async function openForeign(path: string): Promise<FileHandle> {
  const handle = await open(path, O_RDONLY | O_NONBLOCK)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw Object.assign(new Error(`${path} is no file`), { syscall: 'open' })
}

/** Whose it is, for root: undefined for another user than root, and for what is root's or not there. */
export function foreignOwner(path: string, user = process.geteuid?.()): number | undefined {
  if (user !== 0) return undefined
  return statSync(path, { throwIfNoEntry: false })?.uid || undefined
}

/**
 * Root writes nothing where another user could put links; and the service of that user could not read what root leaves.
 * @param flag that sets another directory
 * @throws with the remedy
 */
export function refuseForeign(path: string, flag: string, user = process.geteuid?.(), state = STATE): void {
  const within = (directory: string) => `${resolve(path)}/`.startsWith(`${directory}/`)
  for (const directory of [resolve(path), state].filter(within)) {
    const owner = foreignOwner(directory, user)
    if (owner !== undefined)
      throw new Error(
        `${directory} belongs to user ${owner}, and root does not write in directories of others: run this as that user (setpriv --reuid=${owner} --init-groups, runuser), or give another ${flag}`,
      )
  }
}
