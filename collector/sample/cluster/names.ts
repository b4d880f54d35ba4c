/** What the cluster adds to the names that a window's probe has. */

import type { PodName } from '../../../wire/message.ts'
import type { ClusterFacts } from '../../cluster/facts.ts'
import type { Fold } from '../../fold/fold.ts'

export class ClusterNames {
  readonly facts: ClusterFacts
  readonly #labels: readonly string[]

  /** @param labels keys of labels of pods, or of their namespaces, that are tags */
  constructor(facts: ClusterFacts, labels: readonly string[]) {
    this.facts = facts
    this.#labels = labels
  }

  /** As its probe calls it or, when that does not know, the cluster. @param uid of none for what is in no pod */
  pod(fold: Fold, uid: string | undefined): PodName | undefined {
    if (uid === undefined) return undefined
    const known = fold.podName(uid)
    if (known) return known
    const pod = this.facts.podByUid(uid)
    // labels are tags where a probe was asked for them
    return pod && { name: pod.name, namespace: pod.namespace }
  }

  /** They follow from the pod, and add no series. */
  tags(uid: string | undefined): Readonly<Record<string, string | undefined>> {
    const pod = uid === undefined ? undefined : this.facts.podByUid(uid)
    if (!pod) return {}
    return { owner_kind: pod.workload.kind, owner_name: pod.workload.name, node: pod.node }
  }

  /** Those that the settings name: of the pod, else of its namespace. */
  labels(uid: string | undefined): Record<string, string> {
    const pod = uid === undefined || this.#labels.length === 0 ? undefined : this.facts.podByUid(uid)
    if (!pod) return {}
    const all = [pod.labels, this.facts.namespaceByName(pod.namespace)?.labels ?? {}]
    return Object.fromEntries(
      this.#labels.flatMap(key => {
        const labels = all.find(some => Object.hasOwn(some, key))
        return labels ? [[key, labels[key]!] as const] : []
      }),
    )
  }
}
