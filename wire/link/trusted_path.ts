/** Whose a socket or a directory is: who may write to a directory on the way to it can put another there. */

import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import { COLLECTOR_USER, PROBE_USER, uidOf } from './users.ts'

const OTHERS_WRITE = 0o002
const GROUP_WRITES = 0o020
/** In such a directory only the owner of an entry may replace it. */
const STICKY = 0o1000
/** As path_resolution(7). */
const MAX_LINKS = 40

/** `parent`: a directory in which what is ours is to be made. */
type Kind = 'socket' | 'directory' | 'parent'

/** Numbers of users, and of groups, that may write there. */
export interface Trusted {
  readonly uids: { has(uid: number): boolean }
  readonly gids: { has(gid: number): boolean }
}

/** Root, our own user, and those of the services. */
export const ours: Trusted = {
  uids: {
    has: uid =>
      uid === 0 ||
      uid === process.geteuid?.() ||
      [COLLECTOR_USER, PROBE_USER].some(name => uid === uidOf(name)),
  },
  gids: {
    has: gid => gid === 0 || gid === process.getegid?.() || process.getgroups?.().includes(gid) === true,
  },
}

/**
 * @returns why it may be another's, and the remedy; undefined when only who is trusted could have put it there
 * @throws when there is nothing
 */
export function pathFault(path: string, trusted: Trusted, kind: Kind): string | undefined {
  let links = 0
  let rest = resolve(path).split('/').slice(1)
  let at = '/'
  for (;;) {
    const stat = lstatSync(at)
    const fault = faultOf(at, stat, trusted, kind, rest.length === 0 && kind !== 'parent')
    if (fault !== undefined) return fault
    if (stat.isSymbolicLink()) {
      if (++links > MAX_LINKS) return `${path} has more than ${MAX_LINKS} symbolic links: correct it`
      rest = [...resolve(join(at, '..'), readlinkSync(at)).split('/').slice(1), ...rest]
      at = '/'
      continue
    }
    const [next, ...more] = rest
    if (next === undefined)
      return IS[kind](stat)
        ? undefined
        : `${path} is no ${kind === 'socket' ? 'socket' : 'directory'}: correct the path`
    at = join(at, next)
    rest = more
  }
}

const IS: Readonly<Record<Kind, (stat: Stats) => boolean>> = {
  socket: stat => stat.isSocket(),
  directory: stat => stat.isDirectory(),
  parent: stat => stat.isDirectory(),
}

/**
 * Whether others must not be able to write to this part of the path. Who may write to a socket may connect. What others put in a
 * directory belongs to them, which is seen; so those above ours may be open, as volumes of Kubernetes are. For a socket that is
 * not enough: it is looked at before it is connected to.
 */
const isChecked = (kind: Kind, isLast: boolean, mode: number): boolean =>
  kind === 'socket' ? !isLast && (mode & STICKY) === 0 : isLast

function faultOf(
  at: string,
  stat: Stats,
  { uids, gids }: Trusted,
  kind: Kind,
  isLast: boolean,
): string | undefined {
  const { mode, uid, gid } = stat
  if (!uids.has(uid))
    return `${at} belongs to user ${uid}, who is not trusted: stop what made it${kind === 'socket' ? ', or name the user in --link-users' : ''}`
  if (stat.isSymbolicLink() || !isChecked(kind, isLast, mode)) return undefined
  const isOpen = (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && !gids.has(gid))
  return isOpen
    ? `in ${at} other users can put ${kind === 'socket' ? 'a socket' : 'files'} of their own (mode ${(mode & 0o7777).toString(8)}): chmod go-w it, or take another directory`
    : undefined
}
