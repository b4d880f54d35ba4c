/** Finds the container and pod of a row, by its cgroup or its network namespace. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { Layout } from '../../wire/layout.ts'
import type { ContainerName, Names, PodName, ProcessName, WindowNames } from '../../wire/message.ts'
import { Containers } from './containers.ts'
import { NetnsOwners } from './netns.ts'
import { namesOf, type PathNames } from './path.ts'
import { cgroupNames } from './process.ts'
import { Processes } from './processes.ts'
import { PathReader, RowReader } from './rows.ts'
import type { Running, Source } from './source.ts'

/** Cgroups in the cache, least recently used out first; the kernel's own list does the same. */
const MAX_CGROUPS = 32_768
/** Processes of one window that are named. */
const MAX_PROCESSES = 2000
/** In the same order each time, so that a collector finds them in its cache. */
const sorted = (names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1)))

export interface IdentifyOptions {
  /** Keys of labels that are wanted. */
  readonly labels?: readonly string[]
  /** Where procfs is mounted. */
  readonly proc?: string
  /** Milliseconds that only rise. */
  readonly now?: () => number
}

export class Identifier {
  /** Cgroups of rows whose names never came: their rows count for the host. */
  unknownCgroups = 0
  /**
   * Rows in no container's cgroup, in a network namespace that is neither the host's nor known as a container's. They
   * count for the host: nothing is lost.
   */
  otherNetnsRows = 0
  readonly #source: Source
  /** By the name of the record. */
  readonly #rows = new Map<string, RowReader>()
  readonly #paths: PathReader
  readonly #processes: Processes
  readonly #proc: string
  readonly #netns: NetnsOwners
  /** By `hierarchy:cgroup`: its container; undefined where it is in none. */
  readonly #cgroups = new BoundedMap<string, string | undefined>(MAX_CGROUPS)
  readonly #containers: Containers
  /** Processes of the running window's rows. */
  readonly #pids = new Set<number>()
  /** Containers whose names were pending when the window before ended. */
  #waited: readonly string[] = []

  constructor(cgroupPath: Layout, process: Layout, source: Source, options: IdentifyOptions = {}) {
    this.#source = source
    this.#paths = new PathReader(cgroupPath)
    this.#proc = options.proc ?? '/proc'
    this.#processes = new Processes(process, this.#proc)
    const now = options.now ?? (() => performance.now())
    this.#containers = new Containers(source, options.labels ?? [], now)
    this.#netns = new NetnsOwners(source, this.#proc, now)
  }

  losses() {
    return { 'identify/unknown_cgroup': this.unknownCgroups }
  }

  figures() {
    return { other_netns_rows: this.otherNetnsRows }
  }

  /** Reads records of `cgroup_path`, and the names of their containers while they are still on disk. */
  learn(records: Buffer): void {
    const isNamed = (namespace: string, name: string) => this.#source.isNamed?.(namespace, name) ?? false
    for (const { key, names } of this.#paths.read(records)) {
      const path = namesOf(names, isNamed)
      this.#cgroups.set(key, path?.container)
      if (path) this.#containers.get(path.container, () => path)
    }
  }

  /** @param labels keys of those that are wanted from now on */
  want(labels: readonly string[]): void {
    this.#containers.want(labels)
  }

  /** Reads records of `process`. */
  learnProcesses(records: Buffer): void {
    this.#processes.learn(records)
  }

  /** The names of what these rows refer to. @param layout of a record that has an owner */
  namesOf(layout: Layout, rows: Buffer): Names {
    this.#containers.notice()
    const reader = this.#rows.get(layout.name) ?? new RowReader(layout)
    this.#rows.set(layout.name, reader)
    const cgroups: Record<string, string> = {}
    const netns: Record<string, string> = {}
    const unknown = new Set<string>()
    for (const { key, inode, count } of reader.owners(rows)) {
      const container = this.#cgroups.get(key)
      if (container) {
        cgroups[key] = container
        this.#findPod(container, inode)
        continue
      }
      if (!this.#cgroups.has(key)) unknown.add(key)
      if (this.#netns.isHost(inode)) continue
      const owner = this.#netns.find(inode)
      if (owner) netns[inode] = owner
      else this.otherNetnsRows += count
    }
    this.unknownCgroups += unknown.size
    const ids = new Set([...Object.values(cgroups), ...Object.values(netns)])
    for (const pid of reader.pids(rows)) if (this.#pids.size < MAX_PROCESSES) this.#pids.add(pid)
    return {
      cgroups: sorted(cgroups),
      ...(Object.keys(netns).length > 0 && { netns }),
      ...this.#names([...ids].sort()),
    }
  }

  /** All containers that run now, with their names, and those whose names were pending: what ends a window. */
  running(): WindowNames {
    const running = this.#source.running()
    this.#containers.notice()
    for (const container of running) this.#containers.get(container.id, () => this.#pathOf(container))
    const ids = running.map(({ id }) => id)
    const waiting = this.#containers.pending()
    const names = this.#names(new Set([...ids, ...waiting, ...this.#waited]))
    this.#waited = waiting.filter(id => names.containers[id]?.pending)
    this.#containers.next()
    const processes = this.#processNames(this.#pids)
    this.#pids.clear()
    return {
      cgroups: {},
      ...names,
      running: ids,
      ...(Object.keys(processes).length > 0 && { processes }),
    }
  }

  #names(ids: Iterable<string>): Pick<Names, 'containers' | 'pods'> {
    const containers: Record<string, ContainerName> = {}
    const pods: Record<string, PodName> = {}
    for (const id of ids) {
      const container = this.#containers.get(id)
      containers[id] = this.#containers.isPending(container)
        ? { ...container.name, pending: true }
        : container.name
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

  /** The cgroup of a runtime in the host's cgroup namespace does not name its pod; the pod's network namespace does. */
  #findPod(container: string, inode: number): void {
    if (this.#netns.isHost(inode) || !this.#containers.isStray(container)) return
    const pod = this.#netns.podOf(inode)
    if (pod) this.#containers.adopt(container, pod)
  }

  #pathOf({ id, pid }: Running): PathNames | undefined {
    const path = pid > 0 ? namesOf(cgroupNames(this.#proc, pid, id)) : undefined
    return path?.container === id ? path : undefined
  }
}
