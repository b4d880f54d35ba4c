/** The names of each container. They are resolved again each window, because a running container can be renamed. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import { MAX_NAME_CHARACTERS } from '../../wire/check.ts'
import type { ContainerName, PodName } from '../../wire/message.ts'
import type { PathNames } from './path.ts'
import { type Described, isComplete, type Labels, merge, type Pod, type Source } from './source.ts'

/** Names are kept so long after their container: its last rows are still to come. */
const KEEP_MS = 5 * 60_000
/** A container without a name is resolved again so often. */
const LOOK_MS = 100
/** Containers that run, or ran in the last minutes; of more, those are forgotten that were not seen for longest. */
const MAX_CONTAINERS = 32_768

/** Runtimes do not limit a label; a collector does. */
const cut = (text: string): string => text.slice(0, MAX_NAME_CHARACTERS)

export interface Container {
  readonly path: PathNames | undefined
  /** What its sources have answered so far. */
  readonly found: Described
  readonly name: ContainerName
  readonly pod?: { readonly uid: string; readonly name: PodName }
  /** All names were found: they are not resolved again in this window. */
  readonly complete: boolean
  /** Number of the window in which it was first seen. */
  readonly bornWindow: number
  readonly bornMs: number
  /** All sources had answered since it began when it was last resolved. */
  readonly heard: boolean
  readonly lookedMs: number
  /** What `#round` was then. */
  readonly round: number
  seenMs: number
}

export class Containers {
  readonly #source: Source
  #labels: readonly string[]
  readonly #now: () => number
  readonly #containers = new BoundedMap<string, Container>(MAX_CONTAINERS)
  #window = 0
  /** Names that were found in an earlier one may have changed. */
  #round = 0
  /** Of the source when names were last looked for. */
  #version: number | undefined

  constructor(source: Source, labels: readonly string[], now: () => number) {
    this.#source = source
    this.#labels = labels
    this.#now = now
  }

  /** @param pathOf names from the container's cgroup, called when it is new */
  get(id: string, pathOf: () => PathNames | undefined = () => undefined): Container {
    const now = this.#now()
    const known = this.#containers.get(id)
    if (known) known.seenMs = now
    if (known && this.#isFresh(known, now)) return known
    return this.#look(id, known, known?.path ?? pathOf(), known?.found.pod)
  }

  /** A runtime may have answered since: names that were found before may have changed. */
  notice(): void {
    const version = this.#source.version?.()
    if (version === this.#version) return
    this.#version = version
    this.#round++
  }

  /** Other labels are wanted from now on. */
  want(labels: readonly string[]): void {
    this.#labels = labels
    this.#round++
  }

  /** A window has ended. */
  next(): void {
    this.#window++
    this.#round++
    const old = this.#now() - KEEP_MS
    for (const [id, { seenMs }] of this.#containers) if (seenMs < old) this.#containers.delete(id)
  }

  /** It has no name, and its pod is unknown. */
  isStray(id: string): boolean {
    const { complete, pod, name } = this.get(id)
    return !complete && !pod && name.pod === undefined
  }

  /** It is in this pod, although neither its path nor a runtime shows that. */
  adopt(id: string, pod: Pod): void {
    const known = this.get(id)
    this.#look(id, known, known.path, pod)
  }

  /** The name of a new container is pending until all sources have answered, and no longer than its first window. */
  isPending({ complete, heard, bornWindow }: Container): boolean {
    return !complete && !heard && bornWindow === this.#window
  }

  pending(): string[] {
    return [...this.#containers].filter(([, it]) => this.isPending(it)).map(([id]) => id)
  }

  #isFresh({ complete, heard, round, lookedMs }: Container, now: number): boolean {
    return complete ? round === this.#round : heard && now - lookedMs < LOOK_MS
  }

  #look(id: string, known: Container | undefined, path: PathNames | undefined, pod?: Pod): Container {
    const now = this.#now()
    const bornMs = known?.bornMs ?? now
    const heard = this.#source.hasHeard?.(bornMs) ?? true
    const answer = this.#source.find(id, path) ?? {}
    // what a runtime has forgotten in the meantime is kept here
    const found = merge(merge(answer, known?.found ?? {}), pod ? { pod } : {})
    const complete = isComplete(found, path, this.#labels.length > 0)
    if (!known && !complete) this.#source.refresh?.()
    const container = {
      path,
      found,
      ...this.#named(found, path),
      complete,
      bornWindow: known?.bornWindow ?? this.#window,
      bornMs,
      heard,
      lookedMs: now,
      round: this.#round,
      seenMs: now,
    }
    this.#containers.set(id, container)
    return container
  }

  #named(found: Described, path: PathNames | undefined): Pick<Container, 'name' | 'pod'> {
    const name = found.name ?? path?.name ?? (found.sandbox ? undefined : this.#outerName(path))
    const pod = path?.pod ?? found.pod?.uid
    const labels = this.#wanted(found.labels)
    const podLabels = this.#wanted(found.pod?.labels)
    return {
      name: {
        runtime: found.runtime ?? path?.runtime ?? 'unknown',
        ...(name && { name: cut(name) }),
        ...(found.image && { image: cut(found.image) }),
        ...(pod && { pod }),
        ...(found.sandbox && { sandbox: true }),
        ...(labels && { labels }),
      },
      ...(pod &&
        found.pod && {
          pod: {
            uid: pod,
            name: {
              name: cut(found.pod.name),
              namespace: cut(found.pod.namespace),
              ...(podLabels && { labels: podLabels }),
            },
          },
        }),
    }
  }

  /** The state of a runtime inside a container is not read: the name of the outer container is better than none. */
  #outerName(path: PathNames | undefined): string | undefined {
    const outer = path?.outer
    return outer && this.get(outer.container, () => outer).name.name
  }

  #wanted(labels: Labels | undefined): Labels | undefined {
    const wanted = this.#labels.flatMap(key => (labels?.[key] ? [[key, cut(labels[key])] as const] : []))
    return wanted.length > 0 ? Object.fromEntries(wanted) : undefined
  }
}
