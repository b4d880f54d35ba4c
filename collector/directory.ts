import { accessSync, constants, mkdirSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** linux/magic.h: what these hold is the kernel's. */
const PSEUDO = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0xcafe4a11, 'bpf'],
  [0x1cd1, 'devpts'],
  [0x73636673, 'securityfs'],
  [0x62656570, 'configfs'],
  [0x19800202, 'mqueue'],
  [0x6165676c, 'pstore'],
  [0xde5e81e4, 'efivarfs'],
  [0x6e736673, 'nsfs'],
])

/** Why there can be no directory of ours, and what to do; nothing is made. Permissions are another matter. */
export function directoryFault(path: string): string | undefined {
  const existing = nearestExisting(resolve(path))
  if (existing === undefined) return undefined
  if (!statSync(existing).isDirectory()) return `${existing} is a file: give a directory`
  const type = PSEUDO.get(statfsSync(existing).type >>> 0)
  return type === undefined
    ? undefined
    : `${existing} is a pseudo file system (${type}), where nothing can be stored: give a directory on a disk`
}

function nearestExisting(path: string): string | undefined {
  for (let at = path; ; at = dirname(at))
    try {
      statSync(at)
      return at
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || at === '/') return undefined
    }
}

/** From the first that is missing down. Node's own recursive mkdir does not end where a parent refuses with ENOENT, as /proc does. */
function makeAll(path: string, mode: number): void {
  const missing: string[] = []
  const existing = nearestExisting(path) ?? dirname(path)
  for (let at = path; at !== existing && at !== dirname(at); at = dirname(at)) missing.push(at)
  for (const directory of missing.reverse())
    try {
      mkdirSync(directory, { mode })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process was faster
    }
}

/**
 * A directory that we can write to, made if it is not there.
 * @param flag that sets another directory
 * @throws with the remedy
 */
export function makeDirectory(path: string, flag: string, mode = 0o777): void {
  const fault = directoryFault(path)
  if (fault !== undefined) throw new Error(`${flag}: ${fault}`)
  try {
    makeAll(resolve(path), mode)
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new Error(`${path} is not a directory, or is in a file: remove that, or give another ${flag}`)
    throw new Error(
      `cannot write to the directory ${path} (${code}): run this as root, or give another ${flag}`,
    )
  }
}
