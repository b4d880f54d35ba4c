/** The pods of a window by what made them. */

import { Group } from '../../../wire/count/flow_sums.ts'
import type { ClusterFacts, Workload } from '../../cluster/facts.ts'
import type { Fold } from '../../fold/fold.ts'

export interface WorkloadGroup extends Workload {
  /** Unique on its host. */
  readonly id: string
  readonly namespace: string
  readonly group: Group
}

/** Of pods that the cluster knows. A pod's UID is in its cgroup: none of them waits for a name. */
export function workloadsOf(fold: Fold, facts: ClusterFacts): readonly WorkloadGroup[] {
  const byId = new Map<string, WorkloadGroup>()
  for (const pod of fold.pods().values()) {
    const fact = facts.podByUid(pod.uid)
    if (!fact) continue
    const { namespace, workload } = fact
    const id = `${namespace} ${workload.kind} ${workload.name}`
    const known = byId.get(id) ?? { id, namespace, ...workload, group: new Group() }
    byId.set(id, known)
    known.group.add(pod)
  }
  return [...byId.values()]
}
