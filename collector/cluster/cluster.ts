/** Facts of the cluster, from the source that the settings name. */

import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Counted } from '../counters.ts'
import { Api } from './api/api.ts'
import { kubeconfig } from './api/kubeconfig.ts'
import { inCluster } from './api/server.ts'
import { type ClusterFacts, NO_FACTS } from './facts.ts'
import { Held } from './held/held.ts'
import { Directory } from './manifests/directory.ts'
import type { Source } from './source.ts'

type Log = Pick<ThrottledLog, 'warn'>

/** Of waiting at the start. */
const FIRST_MS = 10_000

/** `--cluster-from api`: the server of the cluster that the collector runs in. */
export const API = 'api'

export class Cluster implements Counted {
  readonly facts: ClusterFacts
  readonly #held: Held | undefined
  readonly #source: Source | undefined

  private constructor(source: Source | undefined) {
    this.#source = source
    this.#held = source && new Held()
    this.facts = this.#held ?? NO_FACTS
  }

  /**
   * Series have the names of their first sample: so facts are waited for, but not for long.
   * @param from `api`, a kubeconfig file, or a directory of manifests
   * @throws with what is wrong with it and what it can be
   */
  static async open(from: string | undefined, log: Log, env = process.env): Promise<Cluster> {
    const cluster = new Cluster(from === undefined ? undefined : sourceOf(from, log, env))
    const end = new AbortController()
    const late = pause(FIRST_MS, true, { signal: end.signal }).catch(() => false)
    const isLate = await Promise.race([cluster.#start(), late])
    end.abort()
    if (isLate)
      log.warn(
        'cluster_slow',
        `${from} has not given all facts in ${FIRST_MS / 1000} s; windows are written without them until they come`,
      )
    return cluster
  }

  async #start(): Promise<false> {
    if (this.#held) await this.#source?.start(this.#held)
    return false
  }

  losses() {
    const { refused = 0, bad = 0 } = this.#held ?? {}
    const { unanswered = 0, unreadable = 0 } = this.#source ?? {}
    return {
      'cluster/full': refused,
      'cluster/bad_object': bad,
      'cluster/unanswered': unanswered,
      'cluster/unreadable': unreadable,
    }
  }

  view() {
    return this.#held ? { cluster: { from: this.#source?.name, ...this.#held.sizes() } } : {}
  }

  expire(): void {
    this.#held?.expire(Date.now())
  }

  async close(): Promise<void> {
    await this.#source?.close()
  }
}

/** @throws with what is wrong with a path, and what it can be */
export function checkSource(from: string | undefined): void {
  if (from !== undefined && from !== API) sourceOf(from, { warn() {} }, {})
}

function sourceOf(from: string, log: Log, env: NodeJS.ProcessEnv): Source {
  if (from === API) return new Api(inCluster(env), log)
  const found = statSync(from, { throwIfNoEntry: false })
  if (found?.isDirectory()) return new Directory(from, log)
  if (found?.isFile()) return new Api(kubeconfig(from), log)
  throw new Error(
    `--cluster-from ${from}: there is ${found ? 'neither a file nor a directory' : 'no such file or directory'}: give ${API} in a pod of the cluster, a kubeconfig file, or a directory of manifests`,
  )
}
