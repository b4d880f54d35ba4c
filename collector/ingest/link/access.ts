/** Who may connect to which endpoint, and whose messages are read. */

import { z85 } from '../../../wire/link/key.ts'
import { ALLOWED, readSecret, secretPath } from '../../../wire/link/key_files.ts'
import { usersOf } from '../../../wire/link/users.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import type { Link, Security } from '../../../wire/settings/endpoint.ts'
import type { Counted } from '../../counters.ts'
import { Allowed } from './allowed.ts'
import { LocalUsers } from './local_users.ts'
import { Sessions } from './sessions.ts'
import { anybody, type Heard, only, type Speaker } from './speaker.ts'
import type { Route } from './transport.ts'
import { type Applicant, type Decision, Zap } from './zap.ts'

export interface AccessOptions {
  /** Directory of keys. */
  readonly keys: string
  /** Users, and `%group`, that may connect to unix sockets besides root and the collector's own user. */
  readonly linkUsers: readonly string[]
}

/** What of an endpoint depends on who may speak there. */
export interface Door {
  /** Options of the ROUTER. */
  readonly socket: Record<string, unknown>
  /** Of the file, where it is a unix socket. */
  readonly mode: number
  hear(route: Route, frames: readonly Buffer[]): Heard
}

export class Access implements Counted {
  readonly #options: AccessOptions
  readonly #isFull: () => boolean
  readonly #log: ThrottledLog
  readonly #zap: Zap
  readonly #allowed: Allowed
  readonly #users: LocalUsers
  #sessions: Sessions | undefined
  #refused = 0

  private constructor(options: AccessOptions, isFull: () => boolean, log: ThrottledLog, zap: Zap) {
    this.#options = options
    this.#isFull = isFull
    this.#log = log
    this.#zap = zap
    this.#allowed = new Allowed(`${options.keys}/${ALLOWED}`, log)
    this.#users = new LocalUsers(options.linkUsers)
  }

  /**
   * @param isFull whether there is no room for one more connection
   * @throws when a setting or the list of keys is wrong
   */
  static async open(options: AccessOptions, isFull: () => boolean, log: ThrottledLog): Promise<Access> {
    usersOf(options.linkUsers, '--link-users')
    return new Access(options, isFull, log, await Zap.open())
  }

  /** Reads the list of keys and the users again, now. */
  reload(): void {
    this.#allowed.reload()
    try {
      this.#users.reload()
    } catch (error) {
      this.#log.warn('users', `${(error as Error).message}; the users as they were before count on`)
    }
  }

  /** @throws when the endpoint needs a key and there is none */
  door({ endpoint, security }: Link): Door {
    return this.#doors[security](endpoint)
  }

  losses() {
    return { 'ingest/unauthenticated': this.#sessions?.unauthenticated ?? 0 }
  }

  view() {
    const { unauthenticated = 0, denied = 0 } = this.#sessions ?? {}
    return { link: { refused_connections: this.#refused, denied, unauthenticated } }
  }

  close(): Promise<void> {
    return this.#zap.close()
  }

  readonly #doors: Readonly<Record<Security, (endpoint: string) => Door>> = {
    curve: endpoint => {
      const keys = readSecret(secretPath(this.#options.keys, 'collector'))
      this.#sessions ??= new Sessions(keys, this.#allowed, this.#log)
      if (this.#allowed.size === 0)
        this.#log.warn(
          'keys',
          `no probe may connect to ${endpoint} (${this.#allowed.path} lists no key): add each with sockflux keys allow`,
        )
      const sessions = this.#sessions
      return {
        socket: {
          ...this.#asking(({ key }) =>
            key !== undefined && this.#allowed.hostsOf(key)
              ? undefined
              : `its key ${key} is not listed in ${this.#allowed.path}: if it is a probe's, sockflux keys allow HOST ${key}`,
          ),
          curveServer: true,
          curveSecretKey: z85(keys.secretKey),
        },
        mode: 0o600,
        hear: (route, frames) => sessions.hear(route, frames),
      }
    },
    local: () => ({
      socket: this.#asking(({ address }) => this.#users.fault(address)),
      mode: this.#users.isOwnOnly ? 0o600 : 0o666, // others are refused in the handshake
      hear: (_, frames) => ({ speaker: anybody, frames }),
    }),
    // the server lets each probe publish under its own host's name: that is what the route is called
    server: () => ({
      socket: {},
      mode: 0,
      hear: (route, frames) => ({ speaker: only(route.toString()), frames }),
    }),
    plain: () => ({
      socket: this.#asking(() => undefined),
      mode: 0o666,
      hear: (_, frames) => ({ speaker: this.#stranger, frames }),
    }),
  }

  /** A host that has a key is not spoken for without it. */
  readonly #stranger: Speaker = {
    fault: host =>
      this.#allowed.isBound(host)
        ? `${host} has a key in ${this.#allowed.path} and does not use it: connect it to an encrypted endpoint, or withdraw the key`
        : undefined,
  }

  #asking(faultOf: (applicant: Applicant) => string | undefined): Record<string, unknown> {
    const decide = (applicant: Applicant): Decision => {
      const fault = faultOf(applicant)
      if (fault === undefined && !this.#isFull()) return 'welcome'
      this.#refused++
      if (fault === undefined) {
        this.#log.warn(
          'connections',
          'a connection was refused: there are as many as --max-connections allows',
        )
        return 'full'
      }
      this.#log.warn('refused', `a connection from ${applicant.address} was refused: ${fault}`)
      return 'refused'
    }
    return { context: this.#zap.context, zapDomain: this.#zap.decide(decide) }
  }
}
