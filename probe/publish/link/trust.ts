/** How a probe knows its collectors: by their public keys, or by the user that a unix socket belongs to. */

import { statSync } from 'node:fs'
import { type Curve, curvesOf, filesOf, type ProbeKeys } from '../../../wire/link/curves.ts'
import { KEYS } from '../../../wire/link/key_files.ts'
import { pathFault } from '../../../wire/link/trusted_path.ts'
import { COLLECTOR_USER, uidOf, usersOf } from '../../../wire/link/users.ts'
import type { NatsAccess } from '../../../wire/nats/connect.ts'

export interface TrustOptions extends ProbeKeys {
  /** Users whose sockets are trusted besides root's, our own and `sockflux`'. */
  readonly linkUsers: readonly string[]
  readonly natsCredentials?: string | undefined
  readonly natsCa?: string | undefined
}

const ROOT_GROUP: ReadonlySet<number> = new Set([0])

export class Trust {
  readonly #options: TrustOptions
  #users: ReadonlySet<number> | undefined

  constructor(options: TrustOptions = { keys: KEYS, collectorKey: [], linkUsers: [] }) {
    this.#options = options
  }

  /** Who we are for a NATS server. */
  get nats(): NatsAccess {
    return { credentials: this.#options.natsCredentials, ca: this.#options.natsCa }
  }

  /**
   * One for each key that a collector may have. The files are read each time.
   * @throws with the file that is missing or wrong
   */
  curves(): Curve[] {
    return curvesOf(this.#options)
  }

  /** Another text whenever one of the files of keys has changed. */
  signature(): string {
    return filesOf(this.#options)
      .map(file => {
        const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
        return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : ''
      })
      .join('\n')
  }

  /** @returns why the socket at this path is not trusted */
  pathFault(path: string): string | undefined {
    this.#users ??= new Set([
      ...[0, process.geteuid?.() ?? 0, uidOf(COLLECTOR_USER) ?? 0],
      ...usersOf(this.#options.linkUsers, '--link-users').uids,
    ])
    try {
      return pathFault(path, { uids: this.#users, gids: ROOT_GROUP }, 'socket')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be looked at (${code})`
    }
  }
}
