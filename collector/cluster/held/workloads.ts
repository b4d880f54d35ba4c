/** What made a pod: its controller or, of one that something else made, that. */

import type { Workload } from '../facts.ts'
import type { OwnedObject, PodObject } from '../objects.ts'
import type { Keep } from './keep.ts'

/** Of controllers that others make, what is kept of each kind. */
export type Controllers = Readonly<Record<'ReplicaSet' | 'Job', Pick<Keep<OwnedObject>, 'get'>>>

const isKept = (kind: string): kind is keyof Controllers => kind === 'ReplicaSet' || kind === 'Job'

/** @returns undefined while its controller, which may have one itself, has not come */
export function workloadOf(
  { namespace, name, labels, owner }: PodObject,
  controllers: Controllers,
): Workload | undefined {
  // a static pod belongs to its node, which is no workload
  if (!owner || owner.kind === 'Node') return { kind: 'Pod', name }
  if (!isKept(owner.kind)) return { kind: owner.kind, name: owner.name }
  const controller = controllers[owner.kind].get(namespace, owner.name)
  if (controller) {
    const { kind, name } = controller.owner ?? owner
    return { kind, name }
  }
  // a Deployment names its ReplicaSets after itself and the hash of their pods' template
  const hash = labels['pod-template-hash']
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) }
  return undefined
}
