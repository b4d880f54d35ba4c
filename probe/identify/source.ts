/** A source of names, and how answers of several sources are merged. */

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
  /** Of the container's first process, on the host; 0 where the source does not have it. */
  readonly pid: number
}

/** Answers at once, from what it can read or from the last answer of a runtime. */
export interface Source {
  /** @param path names from the container's cgroup, where that is known */
  find(id: string, path?: PathNames): Described | undefined
  /** The containers that have a running process now, sandboxes included. */
  running(): readonly Running[]
  /** Whether it has a place where containers would be visible. */
  sees?(): boolean
  /** Whether there is a container of this name in a namespace of the runtime. */
  isNamed?(namespace: string, name: string): boolean
  /** A container began or ended: runtimes should be asked again. */
  refresh?(): void
  /** Another number after each answer of a runtime: names may have changed. */
  version?(): number
  /** Whether all runtimes have answered since a container began then: milliseconds of `performance.now()`. */
  hasHeard?(sinceMs: number): boolean
}

/** No name is missing. */
export function isComplete(found: Described, path: PathNames | undefined, withLabels: boolean): boolean {
  if (path?.pod && !found.pod) return false
  if (withLabels && !(found.pod ? found.pod.labels : found.labels)) return false
  return Boolean(found.name || found.sandbox)
}

/** The first answer, completed by the second. */
export function merge(first: Described, second: Described): Described {
  const pod = first.pod && second.pod ? { ...second.pod, ...first.pod } : (first.pod ?? second.pod)
  return { ...second, ...first, ...(pod && { pod }) }
}
