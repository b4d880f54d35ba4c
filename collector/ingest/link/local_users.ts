/** Who may speak on a unix socket: the kernel tells the user of the other end, SO_PEERCRED of unix(7). */

import { PROBE_USER, type Users, uidOf, usersOf } from '../../../wire/link/users.ts'

/**
 * A group counts when it is the peer's effective one. Its further groups are in `/proc/<pid>/status`, but that pid may be of
 * another process by now: who connects and ends could have somebody else's groups.
 */
export class LocalUsers {
  readonly #names: readonly string[]
  #users: Users

  /** @throws for a name that is unknown */
  constructor(names: readonly string[]) {
    this.#names = names
    this.#users = this.#found()
  }

  /** Only root and our own user: the mode of the file says so, too. */
  get isOwnOnly(): boolean {
    return this.#users.uids.size + this.#users.gids.size === 0
  }

  /** Looks the names up again: a user may have been made since. */
  reload(): void {
    this.#users = this.#found()
  }

  #found(): Users {
    const { uids, gids } = usersOf(this.#names, '--link-users')
    const probe = uidOf(PROBE_USER)
    return { uids: probe === undefined ? uids : new Set([...uids, probe]), gids }
  }

  /** @param address `localhost:<uid>:<gid>:<pid>` */
  fault(address: string): string | undefined {
    const [, uid, gid] = /^localhost:(\d+):(\d+):\d+$/.exec(address) ?? []
    if (uid === undefined) return 'the kernel does not tell whose it is'
    const { uids, gids } = this.#users
    const isAllowed =
      Number(uid) === 0 ||
      Number(uid) === process.geteuid?.() ||
      uids.has(Number(uid)) ||
      gids.has(Number(gid))
    return isAllowed
      ? undefined
      : `user ${uid} may not speak here: name it in --link-users if it runs a probe, or connect as root`
  }
}
