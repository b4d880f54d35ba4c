/** The files of keys, and what must be true of them. A line that begins with `#` is a comment. */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { isKey, type KeyPair, keyPairOf } from './key.ts'
import { ours } from './trusted_path.ts'

export const KEYS = '/etc/sockflux/keys'
/** What stands in a directory of keys. */
export const COLLECTOR_SECRET = 'collector.key'
export const COLLECTOR_PUBLIC = 'collector.pub'
export const PROBE_SECRET = 'probe.key'
export const PROBE_PUBLIC = 'probe.pub'
export const ALLOWED = 'allowed'

/** Bound of a file of keys: an allow-list of 100,000 hosts has 8 MB. */
const MAX_BYTES = 16 * 2 ** 20
/** Read by others, or written by the group. */
const LOOSE = 0o027
const OTHERS_WRITE = 0o002

/** Who can write a list or a public key decides who may speak. */
const foreign = ({ mode, uid }: Stats): string | undefined => {
  if (!ours.uids.has(uid))
    return `belongs to user ${uid}, who could let anybody in: chown it to root, or to the user that this runs as`
  return (mode & OTHERS_WRITE) === 0
    ? undefined
    : 'can be written by other users, who could let anybody in: chmod o-w it'
}

/** @throws with the remedy */
export function readKeyFile(
  path: string,
  check: (stat: Stats) => string | undefined = () => undefined,
): string {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) // a FIFO would never answer
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`there is no ${path}`)
    throw new Error(
      `cannot read the keys in ${path} (${code}): it must belong to the user that this runs as, ${process.getuid?.()}`,
    )
  }
  try {
    const stat = fstatSync(file)
    const fault = stat.isFile() ? check(stat) : 'is no file: give a file with keys'
    if (fault !== undefined) throw new Error(`${path} ${fault}`)
    if (stat.size > MAX_BYTES) throw new Error(`${path} has ${stat.size} bytes: this is no file with keys`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Lines that are no comments, with their numbers from 1. */
export const linesOf = (text: string): { readonly line: string; readonly number: number }[] =>
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))

/**
 * A secret key, which only its owner may read; a group may, so that a service can read a file that belongs to root.
 * @throws with the remedy
 */
export function readSecret(path: string): KeyPair {
  const text = readKeyFile(path, ({ mode, uid }) => {
    if ((mode & LOOSE) !== 0)
      return `can be read by other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}), who may have the secret: make a new one with sockflux keys, or chmod 600 it if nobody has`
    if (uid !== 0 && uid !== process.getuid?.())
      return `belongs to user ${uid}: it must belong to root or to the user that this runs as`
    return undefined
  })
  const lines = linesOf(text)
  const [first] = lines
  if (lines.length !== 1 || !isKey(first!.line))
    throw new Error(
      `${path} has no secret key: one line of 64 hexadecimal digits, as sockflux keys writes it`,
    )
  return keyPairOf(first!.line)
}

/**
 * Public keys, one a line. Of a line `host key`, as the probe's file has it, the key.
 * @throws with the line
 */
export const readPublic = (path: string): string[] =>
  linesOf(readKeyFile(path, foreign)).map(({ line, number }) => {
    const key = line.split(/\s+/).at(-1)!
    if (!isKey(key))
      throw new Error(`${path}:${number}: this is no public key, which has 64 hexadecimal digits`)
    return key
  })

/** A line of the list of keys. */
export interface Listed {
  readonly host: string
  readonly key: string
}

/** As `hostTag` of the settings. */
const MAX_HOST = 253

/**
 * Lines `host key`.
 * @throws with the line
 */
export const readListed = (path: string): Listed[] =>
  linesOf(readKeyFile(path, foreign)).map(({ line, number }) => {
    const [, host = '', key = ''] = /^(.*?)\s+(\S+)$/.exec(line) ?? []
    if (host === '' || host.length > MAX_HOST || !isKey(key))
      throw new Error(
        `${path}:${number}: needs a host name and its public key, as sockflux keys show prints them`,
      )
    return { host, key }
  })

export const secretPath = (directory: string, program: 'collector' | 'probe'): string =>
  join(directory, program === 'collector' ? COLLECTOR_SECRET : PROBE_SECRET)
