/** What is known of each container: its names, looked for again each window, because people rename what runs. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import { MAX_NAME_CHARACTERS } from '../../wire/check.ts'
import type { ContainerName, PodName } from '../../wire/message.ts'
import type { PathNames } from './path.ts'
import { type Described, isComplete, type Labels, merge, type Pod, type Source } from './source.ts'

/** Names outlive their container so long: its last rows are still to come. */
const KEEP_MS = 5 * 60_000
/** A container whose name nobody knew is looked for so often. */
const LOOK_MS = 100
/** Containers that run, or ran in the last minutes; of more, those are forgotten that were not seen for longest. */
const MAX_CONTAINERS = 32_768

/** Runtimes set no limit to a label; a collector does. */
const cut = (text: string): string => text.slice(0, MAX_NAME_CHARACTERS)

export interface Container {
  readonly path: PathNames | undefined
  /** All that its sources have said so far. */
  readonly found: Described
  readonly name: ContainerName
  readonly pod?: { readonly uid: string; readonly name: PodName }
  /** All names were found, so that nobody needs to look again in this window. */
  readonly complete: boolean
  /** Number of the window in which it was first seen. */
  readonly bornWindow: number
  readonly bornMs: number
  /** Everybody who may know its name had been heard when it was looked for. */
  readonly heard: boolean
  readonly lookedMs: number
  /** What `#round` was then. */
  readonly round: number
  seenMs: number
}

export class Containers {
  readonly #source: Source
  readonly #labels: readonly string[]
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

  /** @param pathOf what the container's cgroup says, asked for when it is new */
  get(id: string, pathOf: () => PathNames | undefined = () => undefined): Container {
    const now = this.#now()
    const known = this.#containers.get(id)
    if (known) known.seenMs = now
    if (known && this.#isFresh(known, now)) return known
    return this.#look(id, known, known?.path ?? pathOf(), known?.found.pod)
  }

  /** A runtime has answered since: what it said before may not be so any more. */
  notice(): void {
    const version = this.#source.version?.()
    if (version === this.#version) return
    this.#version = version
    this.#round++
  }

  /** A window has ended. */
  next(): void {
    this.#window++
    this.#round++
    const old = this.#now() - KEEP_MS
    for (const [id, { seenMs }] of this.#containers) if (seenMs < old) this.#containers.delete(id)
  }

  /** Nobody has named it, and nothing says which pod it is in. */
  isStray(id: string): boolean {
    const { complete, pod, name } = this.get(id)
    return !complete && !pod && name.pod === undefined
  }

  /** It is in this pod, though neither its path nor a runtime says so. */
  adopt(id: string, pod: Pod): void {
    const known = this.get(id)
    this.#look(id, known, known.path, pod)
  }

  /** A new container waits for its name until all who may know it were heard, and never longer than its first window. */
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
    const said = this.#source.find(id, path) ?? {}
    // what a runtime forgot in the meantime is not forgotten here
    const found = merge(merge(said, known?.found ?? {}), pod ? { pod } : {})
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

  /** A runtime within a container names its own where nobody looks: then the name of the container around is better than none. */
  #outerName(path: PathNames | undefined): string | undefined {
    const outer = path?.outer
    return outer && this.get(outer.container, () => outer).name.name
  }

  #wanted(labels: Labels | undefined): Labels | undefined {
    const wanted = this.#labels.flatMap(key => (labels?.[key] ? [[key, cut(labels[key])] as const] : []))
    return wanted.length > 0 ? Object.fromEntries(wanted) : undefined
  }
}
