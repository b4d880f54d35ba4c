/** The directory of the store, and whether it is still the opened one. */

import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs'

const OWNER_DIRECTORY = 0o700

export type Identity = Pick<Stats, 'dev' | 'ino'>

export const isSame = (a: Identity, b: Identity | undefined): boolean =>
  b !== undefined && a.dev === b.dev && a.ino === b.ino

export const identityOf = (path: string): Identity | undefined => statSync(path, { throwIfNoEntry: false })

/** Of the file itself: a link in its place is another one. */
export const fileIdentityOf = (path: string): Identity | undefined =>
  lstatSync(path, { throwIfNoEntry: false })

/**
 * Creates the directory if it is missing, and removes the permissions of other users. The mode of a directory with files
 * other than a store's is not changed: other programs may use it.
 * @throws with the first cause
 */
export function makePlace(path: string): Identity {
  try {
    mkdirSync(path, { recursive: true, mode: OWNER_DIRECTORY })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const cause = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its place' : code
    throw new Error(
      `cannot make the directory ${path} (${cause}): remove what is there, or give another --store`,
    )
  }
  const files = readdirSync(path)
  if (files.length === 0 || files.includes('lock')) chmodSync(path, OWNER_DIRECTORY)
  return statSync(path)
}
