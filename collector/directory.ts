import { accessSync, constants, mkdirSync } from 'node:fs'

/**
 * A directory that we can write to, made if it is not there.
 * @param flag that says another one
 * @throws with the remedy
 */
export function makeDirectory(path: string, flag: string, mode = 0o777): void {
  try {
    mkdirSync(path, { recursive: true, mode })
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(
      `cannot write to the directory ${path} (${code}): run this as root, or give another ${flag}`,
    )
  }
}
