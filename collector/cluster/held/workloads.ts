/** What made a pod: its controller or, of one that something else made, that. */

import type { Workload } from '../facts.ts'
import type { OwnedObject, Owner, PodObject } from '../objects.ts'
import type { Keep } from './keep.ts'

/** Of controllers that others make, what is kept of each kind. */
export type Controllers = Readonly<Record<'ReplicaSet' | 'Job', Pick<Keep<OwnedObject>, 'get'>>>

/** The groups that these kinds are of: `batch.volcano.sh` has Jobs, too, which nothing else made. */
const GROUPS: Readonly<Record<keyof Controllers, readonly string[]>> = {
  ReplicaSet: ['apps', 'extensions'],
  Job: ['batch'],
}

/** A ReplicaSet is named after what made it and the hash of its pods' template, which the pods have as this label. */
const HASHES = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const

export interface Guess {
  readonly workload: Workload
  /** Its controller, which may have one itself, has come. */
  readonly isSure: boolean
}

export function workloadOf(pod: PodObject, controllers: Controllers): Guess {
  const { namespace, name, owner } = pod
  // a static pod belongs to its node, which is no workload
  if (!owner || owner.kind === 'Node') return { workload: { kind: 'Pod', name }, isSure: true }
  if (!isKept(owner)) return { workload: named(owner), isSure: true }
  const controller = controllers[owner.kind].get(namespace, owner.name)
  if (controller) return { workload: named(controller.owner ?? owner), isSure: true }
  return { workload: byHash(pod, owner) ?? named(owner), isSure: false }
}

const named = ({ kind, name }: Owner): Workload => ({ kind, name })

const isKept = (owner: Owner): owner is Owner & { kind: keyof Controllers } =>
  (owner.kind === 'ReplicaSet' || owner.kind === 'Job') && GROUPS[owner.kind].includes(owner.group)

function byHash({ labels }: PodObject, { kind, name }: Owner): Workload | undefined {
  if (kind !== 'ReplicaSet') return undefined
  const found = HASHES.find(([label]) => labels[label] && name.endsWith(`-${labels[label]}`))
  return found && { kind: found[1], name: name.slice(0, -labels[found[0]]!.length - 1) }
}
