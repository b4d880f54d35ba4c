/** Whose a unix socket is: only who may write to a directory on the way to it can put another there. */

import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'

const OTHERS_WRITE = 0o002
const GROUP_WRITES = 0o020
/** In such a directory only the owner of an entry may replace it. */
const STICKY = 0o1000
/** As path_resolution(7). */
const MAX_LINKS = 40

/**
 * @param path of a socket
 * @param trusted user ids
 * @returns why it may be another's, and the remedy; undefined when it is of somebody who is trusted
 * @throws when there is nothing
 */
export function pathFault(path: string, trusted: ReadonlySet<number>): string | undefined {
  let links = 0
  let rest = resolve(path).split('/').slice(1)
  let at = '/'
  for (;;) {
    const stat = lstatSync(at)
    const fault = faultOf(at, stat, trusted, rest.length === 0)
    if (fault !== undefined) return fault
    if (stat.isSymbolicLink()) {
      if (++links > MAX_LINKS) return `${path} has more than ${MAX_LINKS} symbolic links: correct it`
      rest = [...resolve(join(at, '..'), readlinkSync(at)).split('/').slice(1), ...rest]
      at = '/'
      continue
    }
    const [next, ...more] = rest
    if (next === undefined) return stat.isSocket() ? undefined : `${path} is no socket: correct the path`
    at = join(at, next)
    rest = more
  }
}

function faultOf(at: string, stat: Stats, trusted: ReadonlySet<number>, isLast: boolean): string | undefined {
  const { mode, uid, gid } = stat
  if (!trusted.has(uid))
    return `${at} belongs to user ${uid}, who is not trusted: stop what made it, or name the user in --link-users`
  if (isLast || stat.isSymbolicLink() || (mode & STICKY) !== 0) return undefined
  const isOpen = (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && gid !== 0)
  return isOpen
    ? `in ${at} other users can put a socket of their own (mode ${(mode & 0o7777).toString(8)}): chmod go-w it, or take another directory`
    : undefined
}
