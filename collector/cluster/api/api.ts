/** Facts from an API server: each kind is followed on its own, so that one that is refused does not hold up the others. */

import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { trustFault } from '../../certificate.ts'
import type { Receiver } from '../held/held.ts'
import { KIND_NAMES, KINDS, type Kind } from '../kinds.ts'
import type { Source } from '../source.ts'
import { Follower, type Report, TIMES } from './follow.ts'
import { RefusedError } from './requests.ts'
import type { Server } from './server.ts'

const NOT_FOUND = 404
/** What to do about these answers, by their number. */
const REMEDIES: Readonly<Record<number, (resource: string) => string>> = {
  401: () =>
    'its token or certificate is not valid, or not any more: give one that is (kubectl create token makes one for an hour, --duration a longer one; a tokenFile may be renewed in its place)',
  403: resource =>
    `give its account the right to list and watch ${resource}, as deploy/kubernetes/cluster does`,
}

export class Api implements Source, Report {
  readonly name: string
  readonly unreadable = 0
  unanswered = 0
  readonly #server: Server
  readonly #log: Pick<ThrottledLog, 'warn'>
  readonly #times: typeof TIMES
  readonly #end = new AbortController()
  #untried = 0
  #allTried = () => {}
  #following: readonly Promise<void>[] = []

  constructor(server: Server, log: Pick<ThrottledLog, 'warn'>, times = TIMES) {
    this.name = server.name
    this.#server = server
    this.#log = log
    this.#times = times
  }

  async start(into: Receiver): Promise<void> {
    const all = Promise.withResolvers<void>()
    this.#untried = KIND_NAMES.length
    this.#allTried = all.resolve
    this.#following = KIND_NAMES.map(kind =>
      new Follower(kind, this.#server, into, this, this.#times).run(this.#end.signal),
    )
    await all.promise
  }

  tried(): void {
    if (--this.#untried === 0) this.#allTried()
  }

  failed(kind: Kind, error: Error, afterMs: number): void {
    const { resource, gives, isOptional } = KINDS[kind]
    const status = error instanceof RefusedError ? error.status : 0
    const { code } = error as NodeJS.ErrnoException
    // an older server does not have it
    if (isOptional && status === NOT_FOUND) return
    this.unanswered++
    const known = REMEDIES[status]?.(resource)
    const remedy = known ? `${known}; ` : ''
    this.#log.warn(
      `cluster_${resource}`,
      `${this.name} gave no ${resource} (${trustFault(code, this.#server.authority ?? 'its authority') ?? error.message}): ${gives} stay as they were; ${remedy}next try in ${Math.ceil(afterMs / 1000)} s`,
    )
  }

  async close(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#following)
  }
}
