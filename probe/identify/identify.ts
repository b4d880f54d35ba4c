/** Who is this? From the cgroup of a row, or its network namespace, to its container and pod. */

import { MOST_CHARACTERS } from '../../wire/check.ts'
import type { Layout } from '../../wire/layout.ts'
import type { ContainerName, PodName, ProcessName, Who, WindowWho } from '../../wire/message.ts'
import { NetnsOwners } from './netns.ts'
import { namesOf, type PathNames } from './path.ts'
import { cgroupNames } from './process.ts'
import { Processes } from './processes.ts'
import { PathReader, RowReader } from './rows.ts'
import { type Described, isComplete, type Labels, type Running, type Source } from './source.ts'

/** Names outlive their container so long: its last rows are still to come. */
const KEEP_MS = 5 * 60_000
/** Cgroups remembered, the last used; of its own list the kernel forgets, too, what was not used for longest. */
const MOST_CGROUPS = 32_768
/** Processes of one window that are named. */
const MOST_PROCESSES = 2000
/** A container whose name nobody knew is looked for so often. */
const LOOK_MS = 100

/** Runtimes set no limit to a label; a collector does. */
const cut = (text: string): string => text.slice(0, MOST_CHARACTERS)

/** In the same order each time: a collector need not read again what it knows. */
const sorted = (names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1)))

interface Container {
  readonly path: PathNames | undefined
  readonly name: ContainerName
  readonly pod?: { readonly uid: string; readonly name: PodName }
  /** All names were found, so that nobody needs to look again. */
  readonly complete: boolean
  /** Number of the window in which it was first seen. */
  readonly bornWindow: number
  readonly bornMs: number
  /** Everybody who may know its name had been heard when it was looked for. */
  readonly heard: boolean
  readonly lookedMs: number
  seenMs: number
}

export interface IdentifyOptions {
  /** Keys of labels that are wanted. */
  readonly labels?: readonly string[]
  /** Where procfs is mounted. */
  readonly proc?: string
  /** Milliseconds that only rise. */
  readonly now?: () => number
}

export class Identifier {
  /** Cgroups of rows whose names never came: they count for the host. */
  unknownCgroups = 0
  /** Rows in no container's cgroup, in a network namespace that is neither the host's nor known as a container's. */
  ownerlessRows = 0
  readonly #source: Source
  /** By the name of the record. */
  readonly #rows = new Map<string, RowReader>()
  readonly #paths: PathReader
  readonly #processes: Processes
  readonly #labels: readonly string[]
  readonly #proc: string
  readonly #now: () => number
  readonly #netns: NetnsOwners
  /** By `hierarchy:cgroup`: its container; undefined where it is in none. */
  readonly #cgroups = new Map<string, string | undefined>()
  readonly #containers = new Map<string, Container>()
  /** Processes of the running window's rows. */
  readonly #pids = new Set<number>()
  #window = 0
  /** Containers that were waiting for their names when the window before ended. */
  #waited: readonly string[] = []

  constructor(cgroupPath: Layout, process: Layout, source: Source, options: IdentifyOptions = {}) {
    this.#source = source
    this.#paths = new PathReader(cgroupPath)
    this.#processes = new Processes(process)
    this.#labels = options.labels ?? []
    this.#proc = options.proc ?? '/proc'
    this.#now = options.now ?? (() => performance.now())
    this.#netns = new NetnsOwners(source, this.#proc, this.#now)
  }

  /** Records of `cgroup_path`: learn what they name, and its container's names while they are still on disk. */
  learn(records: Buffer): void {
    const isNamed = (namespace: string, name: string) => this.#source.isNamed?.(namespace, name) ?? false
    for (const { key, names } of this.#paths.read(records)) {
      const path = namesOf(names, isNamed)
      this.#cgroups.delete(key) // to the end: the oldest are forgotten first
      this.#cgroups.set(key, path?.container)
      if (path) this.#container(path.container, () => path)
    }
    for (const key of this.#cgroups.keys()) {
      if (this.#cgroups.size <= MOST_CGROUPS) break
      this.#cgroups.delete(key)
    }
  }

  /** Records of `process`. */
  learnProcesses(records: Buffer): void {
    this.#processes.learn(records)
  }

  /** The names of what these rows refer to. @param layout of a record that has an owner */
  who(layout: Layout, rows: Buffer): Who {
    const reader = this.#rows.get(layout.name) ?? new RowReader(layout)
    this.#rows.set(layout.name, reader)
    const cgroups: Record<string, string> = {}
    const netns: Record<string, string> = {}
    const unknown = new Set<string>()
    for (const { key, inode, count } of reader.owners(rows)) {
      const container = this.#cgroupOf(key)
      if (container) {
        cgroups[key] = container
        continue
      }
      if (!this.#cgroups.has(key)) unknown.add(key)
      if (this.#netns.isHost(inode)) continue
      const owner = this.#netns.find(inode)
      if (owner) netns[inode] = owner
      else this.ownerlessRows += count
    }
    this.unknownCgroups += unknown.size
    const ids = new Set([...Object.values(cgroups), ...Object.values(netns)])
    for (const pid of reader.pids(rows)) if (this.#pids.size < MOST_PROCESSES) this.#pids.add(pid)
    return {
      cgroups: sorted(cgroups),
      ...(Object.keys(netns).length > 0 && { netns }),
      ...this.#names([...ids].sort()),
    }
  }

  /** All containers that run now, with their names, and those whose names were waited for: what ends a window. */
  running(): WindowWho {
    const running = this.#source.running()
    for (const container of running) this.#container(container.id, () => this.#pathOf(container))
    const ids = running.map(({ id }) => id)
    const waiting = [...this.#containers].filter(([, it]) => this.#isPending(it)).map(([id]) => id)
    const names = this.#names(new Set([...ids, ...waiting, ...this.#waited]))
    this.#waited = waiting.filter(id => names.containers[id]?.pending)
    this.#window++
    this.#forget()
    const processes = this.#processNames(this.#pids)
    this.#pids.clear()
    return {
      cgroups: {},
      ...names,
      running: ids,
      ...(Object.keys(processes).length > 0 && { processes }),
    }
  }

  #cgroupOf(key: string): string | undefined {
    const container = this.#cgroups.get(key)
    if (this.#cgroups.delete(key)) this.#cgroups.set(key, container) // to the end: it is in use
    return container
  }

  #names(ids: Iterable<string>): Pick<Who, 'containers' | 'pods'> {
    const containers: Record<string, ContainerName> = {}
    const pods: Record<string, PodName> = {}
    for (const id of ids) {
      const container = this.#container(id)
      containers[id] = this.#isPending(container) ? { ...container.name, pending: true } : container.name
      if (container.pod) pods[container.pod.uid] = container.pod.name
    }
    return { containers, pods }
  }

  #processNames(pids: ReadonlySet<number>): Record<string, ProcessName> {
    const processes: Record<string, ProcessName> = {}
    for (const pid of pids) {
      const name = this.#processes.find(pid)
      if (name) processes[pid] = name
    }
    return processes
  }

  /** A new container waits for its name until all who may know it were heard, and never longer than its first window. */
  #isPending({ complete, heard, bornWindow }: Container): boolean {
    return !complete && !heard && bornWindow === this.#window
  }

  /** @param pathOf what the container's cgroup says, asked for when it is new */
  #container(id: string, pathOf: () => PathNames | undefined = () => undefined): Container {
    const now = this.#now()
    const known = this.#containers.get(id)
    if (known) known.seenMs = now
    if (known && (known.complete || (known.heard && now - known.lookedMs < LOOK_MS))) return known
    const bornMs = known?.bornMs ?? now
    const heard = this.#source.hasHeard?.(bornMs) ?? true
    const path = known?.path ?? pathOf()
    const found = this.#source.find(id, path) ?? {}
    const complete = isComplete(found, path, this.#labels.length > 0)
    if (!known && !complete) this.#source.refresh?.()
    const container = {
      path,
      ...this.#named(found, path),
      complete,
      bornWindow: known?.bornWindow ?? this.#window,
      bornMs,
      heard,
      lookedMs: now,
      seenMs: now,
    }
    // what a runtime forgot in the meantime is not forgotten here
    if (known?.name.name && !container.name.name) return known
    this.#containers.set(id, container)
    return container
  }

  #named(found: Described, path: PathNames | undefined): Pick<Container, 'name' | 'pod'> {
    const name = found.name ?? path?.name
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

  #wanted(labels: Labels | undefined): Labels | undefined {
    const wanted = this.#labels.flatMap(key => (labels?.[key] ? [[key, cut(labels[key])] as const] : []))
    return wanted.length > 0 ? Object.fromEntries(wanted) : undefined
  }

  #pathOf({ id, pid }: Running): PathNames | undefined {
    const path = pid > 0 ? namesOf(cgroupNames(this.#proc, pid, id)) : undefined
    return path?.container === id ? path : undefined
  }

  #forget(): void {
    const old = this.#now() - KEEP_MS
    for (const [id, { seenMs }] of this.#containers) if (seenMs < old) this.#containers.delete(id)
  }
}
