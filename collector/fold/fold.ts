/** One host's window: rows in, totals per container, pod and host out. */

import { Group } from '../../wire/count/flow_sums.ts'
import type { HostRecord } from '../../wire/host_records.ts'
import type { ContainerName, Names, PodName, ProcessName, WindowNames } from '../../wire/message.ts'
import { containerNames, podNames } from './names.ts'
import { Owned } from './owned.ts'
import { Containers } from './owners.ts'
import { Processes } from './processes.ts'
import type { Decoder, FlatRow } from './records/record.ts'

export class ContainerGroup extends Group {
  readonly id: string
  name: ContainerName
  running = false

  constructor(id: string, name: ContainerName) {
    super()
    this.id = id
    this.name = name
  }
}

export class PodGroup extends Group {
  readonly uid: string
  readonly name: PodName
  readonly members: ContainerGroup[] = []

  constructor(uid: string, name: PodName) {
    super()
    this.uid = uid
    this.name = name
  }
}

/** Containers, and processes, of one host in one window. */
const MAX_GROUPS = 100_000
/** Rows of one record that belong to no flow: interfaces, for the most part. */
const MAX_ROWS = 256

/** Whose containers have a pod's UID in their cgroup's path, or are in none. */
const PODLESS = new Set(['docker', 'lxc'])

interface Waiting {
  readonly containers: ReadonlySet<string>
  /** Pods that do not wait. A pod waits if its name, or its membership, can come only with a pending container. */
  readonly namedPods: ReadonlySet<string>
}

export class Fold {
  /** What is in no container. */
  readonly host = new Group()
  readonly containers = new Map<string, ContainerGroup>()
  /** Undefined when processes are not wanted. */
  readonly processes: Processes | undefined
  /** Numbers of containers, and of what is in none, by the values of dimensions. */
  readonly owned = new Owned()
  /** Rows folded. */
  rows = 0
  /** Rows that came of records that this collector does not know. */
  unread = 0
  /** Rows whose cgroup id is beyond what a number holds exactly: none, with any known kernel. */
  refused = 0
  readonly #names = new Map<string, ContainerName>()
  readonly #pods = new Map<string, PodName>()
  readonly #flat = new Map<HostRecord, FlatRow[]>()
  #processNames: Readonly<Record<string, ProcessName>> = {}
  readonly #maxGroups: number
  #waiting: Waiting | undefined
  /** In the rows that are being folded, those of containers that are too many: they count with the host. */
  #overflow: Group | undefined
  /** Flows of these, and flat rows that are too many. */
  #overflowed = 0
  /** The names of the message before, and the owners that follow from them: most messages of a window have the same names. */
  #lastNames: Names | undefined
  #owners: Containers | undefined

  /** @param withProcesses total per process as well */
  constructor(withProcesses = false, maxGroups = MAX_GROUPS) {
    this.processes = withProcesses ? new Processes(maxGroups) : undefined
    this.#maxGroups = maxGroups
  }

  add(rows: Buffer, { size, fold }: Decoder, names: Names): void {
    this.#learn(names)
    this.#owners ??= new Containers(names, id => this.#container(id) ?? this.#overflowGroup(), this.host)
    fold(rows, { owners: this.#owners, processes: this.processes, keep: this.#keep, owned: this.owned })
    this.refused += this.#owners.refused
    this.#owners.refused = 0
    this.rows += rows.length / size
    if (this.#overflow) {
      this.host.add(this.#overflow)
      this.owned.move(this.#overflow, this.host)
      this.#overflowed += this.#overflow.client.flows + this.#overflow.server.flows
      this.#overflow = undefined
      this.#owners = undefined // they know the overflow group
    }
  }

  /** Rows that count with the host, or with no process, or not at all, because there are too many of their kind. */
  get overflowed(): number {
    return this.#overflowed + this.owned.overflowed + (this.processes?.overflowed ?? 0)
  }

  /** Rows of a record that belongs to no flow. */
  flat(record: HostRecord): readonly FlatRow[] {
    return this.#flat.get(record) ?? []
  }

  /** The window's end: who runs, with flows or without. */
  end(names: WindowNames): void {
    this.#learn(names)
    this.#processNames = names.processes ?? {}
    for (const id of names.running) {
      const container = this.#container(id)
      if (container) container.running = true
    }
    this.#share()
  }

  /** One kernel and one probe: what is known of the sockets of one is known of all, of those without a flow, too. */
  #share(): void {
    const groups = [this.host, ...this.containers.values(), ...(this.processes?.byPid.values() ?? [])]
    const all = groups.flatMap(({ client, server }) => [client, server])
    const known = all.reduce((known, totals) => known | totals.known, 0)
    for (const totals of all) totals.known = known
  }

  /** At the window's end, whatever has come since: whose names are on their way, and the pods that need not wait. */
  waiting(): Waiting {
    this.#waiting ??= this.#findWaiting()
    return this.#waiting
  }

  /** The names that have come with the window after this one; what is still without stays so. */
  rename(later: Fold): void {
    for (const [uid, name] of later.#pods) if (!this.#pods.has(uid)) this.#pods.set(uid, name)
    for (const container of this.containers.values())
      if (container.name.pending) container.name = later.#names.get(container.id) ?? container.name
  }

  /** Pods, each the sum over its containers' flows. */
  pods(): Map<string, PodGroup> {
    const pods = new Map<string, PodGroup>()
    for (const container of this.containers.values()) {
      const uid = container.name.pod
      if (!uid) continue
      let pod = pods.get(uid)
      if (!pod) {
        pod = new PodGroup(uid, this.#pods.get(uid) ?? { name: uid, namespace: '' })
        pods.set(uid, pod)
      }
      pod.add(container)
      pod.members.push(container)
      if (container.running && !container.name.sandbox) pod.containers++
    }
    return pods
  }

  processName(pid: number): ProcessName | undefined {
    return this.#processNames[pid]
  }

  podName(uid: string): PodName | undefined {
    return this.#pods.get(uid)
  }

  #findWaiting(): Waiting {
    const containers = [...this.containers.values()]
    const waiting = containers.filter(({ name }) => name.pending)
    const mayBeInAny = waiting.some(({ name }) => !name.pod && !PODLESS.has(name.runtime))
    const nameless = new Set(waiting.map(({ name }) => name.pod).filter(uid => uid && !this.#pods.has(uid)))
    const uids = mayBeInAny ? [] : containers.flatMap(({ name }) => name.pod ?? [])
    return {
      containers: new Set(waiting.map(({ id }) => id)),
      namedPods: new Set(uids.filter(uid => !nameless.has(uid))),
    }
  }

  #learn(names: Names): void {
    if (this.#lastNames && isSame(this.#lastNames, names)) return
    this.#lastNames = names
    this.#owners = undefined
    for (const [uid, name] of podNames(names.pods))
      if (this.#pods.size < this.#maxGroups || this.#pods.has(uid)) this.#pods.set(uid, name)
    for (const [id, name] of containerNames(names.containers)) {
      const known = this.#names.get(id)
      const saysMore = name.name || name.sandbox
      if (known ? !known.pending && (known.name || !saysMore) : this.#names.size >= this.#maxGroups) continue
      this.#names.set(id, name)
      const container = this.containers.get(id)
      if (container) container.name = name
    }
  }

  #overflowGroup(): Group {
    this.#overflow ??= new Group()
    return this.#overflow
  }

  #container(id: string): ContainerGroup | undefined {
    let container = this.containers.get(id)
    if (!container && this.containers.size < this.#maxGroups) {
      container = new ContainerGroup(id, this.#names.get(id) ?? { runtime: 'unknown' })
      this.containers.set(id, container)
    }
    return container
  }

  readonly #keep = (record: HostRecord, row: FlatRow): void => {
    const rows = this.#flat.get(record) ?? []
    if (rows.length === 0) this.#flat.set(record, rows)
    if (rows.length < MAX_ROWS) rows.push(row)
    else this.#overflowed++
  }
}

/** Parts of names that have not changed are the same objects. */
const isSame = (a: Names, b: Names): boolean =>
  a.cgroups === b.cgroups && a.netns === b.netns && a.containers === b.containers && a.pods === b.pods
