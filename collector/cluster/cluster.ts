/** Facts of the cluster, from the source that the settings name. */

import { statSync } from 'node:fs'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Counted } from '../counters.ts'
import { Api } from './api/api.ts'
import { kubeconfig } from './api/kubeconfig.ts'
import { inCluster } from './api/server.ts'
import { type ClusterFacts, NO_FACTS } from './facts.ts'
import { Held } from './held/held.ts'
import { Directory } from './manifests/directory.ts'
import type { Source } from './source.ts'

/** `--cluster-from api`: the server of the cluster that the collector runs in. */
export const API = 'api'

export class Cluster implements Counted {
  readonly facts: ClusterFacts
  readonly #held: Held | undefined
  readonly #source: Source | undefined

  /**
   * @param from `api`, a kubeconfig file, or a directory of manifests
   * @throws with what is wrong with it and what it can be
   */
  constructor(from: string | undefined, log: Pick<ThrottledLog, 'warn'>, env = process.env) {
    this.#source = from === undefined ? undefined : sourceOf(from, log, env)
    this.#held = this.#source && new Held()
    this.facts = this.#held ?? NO_FACTS
    if (this.#held) this.#source?.start(this.#held)
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

function sourceOf(from: string, log: Pick<ThrottledLog, 'warn'>, env: NodeJS.ProcessEnv): Source {
  if (from === API) return new Api(inCluster(env), log)
  const found = statSync(from, { throwIfNoEntry: false })
  if (found?.isDirectory()) return new Directory(from, log)
  if (found?.isFile()) return new Api(kubeconfig(from), log)
  throw new Error(
    `--cluster-from ${from}: there is ${found ? 'neither a file nor a directory' : 'no such file or directory'}: give ${API} in a pod of the cluster, a kubeconfig file, or a directory of manifests`,
  )
}
