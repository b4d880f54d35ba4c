/** Where names come from: the shape of every source, and what one answer adds to another. */

import type { PathNames } from './path.ts'

export interface Pod {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly labels?: Labels
}

export type Labels = Readonly<Record<string, string>>

/** What a source knows of a container. */
export interface Described {
  readonly runtime?: string
  readonly name?: string
  readonly image?: string
  /** The pause container, which holds a pod's namespaces. */
  readonly sandbox?: boolean
  readonly pod?: Pod
  readonly labels?: Labels
}

export interface Running {
  readonly id: string
  /** Of the container's first process, on the host; 0 where the source does not tell. */
  readonly pid: number
}

/** Answers from what it can read or has heard: at once, always. */
export interface Source {
  /** @param path what the container's cgroup says, where that is known */
  find(id: string, path?: PathNames): Described | undefined
  /** The containers that have a running process now, sandboxes included. */
  running(): readonly Running[]
  /** Whether there is a place where it would see containers, if there were any. */
  sees?(): boolean
  /** Whether there is a container of this name in a namespace of the runtime. */
  isNamed?(namespace: string, name: string): boolean
  /** Something was born or has died: what may be heard should be heard again. */
  refresh?(): void
  /** Another number after each answer of a runtime: what it said before may have changed. */
  version?(): number
  /** Whether all that may be heard of a container born then has been heard: milliseconds of `performance.now()`. */
  hasHeard?(sinceMs: number): boolean
}

/** Nothing is left to ask for. */
export function isComplete(found: Described, path: PathNames | undefined, withLabels: boolean): boolean {
  if (path?.pod && !found.pod) return false
  if (withLabels && !(found.pod ? found.pod.labels : found.labels)) return false
  return Boolean(found.name || found.sandbox)
}

/** What the first knows, and of the second what the first does not. */
export function merge(first: Described, second: Described): Described {
  const pod = first.pod && second.pod ? { ...second.pod, ...first.pod } : (first.pod ?? second.pod)
  return { ...second, ...first, ...(pod && { pod }) }
}
