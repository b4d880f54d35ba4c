/** One host's window: rows in, totals per container, pod and host out. */

import { type Layout, numberOf, type Reader, textOf, viewOf } from '../probe/wire/layout.ts'
import type { ContainerName, PodName, Who, WindowWho } from '../probe/wire/message.ts'
import type { NumberField, TcpFlow } from '../probe/wire/records.ts'
import { tcpMetrics } from './metrics/tcp.ts'
import { containerName, podName } from './names.ts'
import { cgroupOwners, netnsOwners } from './owners.ts'

/** `enum tcp_role` and `enum tcp_flow_flags` in `probe/bpf/tcp_flow.h`. */
const ROLE_SERVER = 2
const FLOW_PREDATES = 1

/** The fields that some metric averages, each summed once over the measured flows. */
const AVERAGED = [...new Set(tcpMetrics.flatMap(({ source }) => (source ? [source] : [])))]

/** What is counted of a set of flows with one role. */
export class Totals {
  flows = 0
  /** Flows that exchanged segments in the window and have a measured RTT. */
  measured = 0
  opened = 0
  closed = 0
  /** Of the measured flows, in the order of AVERAGED and in units of the record. */
  readonly sums = new Float64Array(AVERAGED.length)

  add(other: Totals): void {
    this.flows += other.flows
    this.measured += other.measured
    this.opened += other.opened
    this.closed += other.closed
    for (let i = 0; i < this.sums.length; i++) this.sums[i]! += other.sums[i]!
  }

  /** Undefined when no flow was measured: never 0. */
  mean(source: NumberField<TcpFlow>): number | undefined {
    return this.measured > 0 ? this.sums[AVERAGED.indexOf(source)]! / this.measured : undefined
  }
}

/** Flows by role of the local end. */
export class Group {
  readonly client = new Totals()
  readonly server = new Totals()

  add(other: Group): void {
    this.client.add(other.client)
    this.server.add(other.server)
  }
}

export interface ContainerGroup extends Group {
  readonly id: string
  name: ContainerName
  running: boolean
}

export interface PodGroup extends Group {
  readonly uid: string
  readonly name: PodName
  /** Running containers without the sandbox. */
  containers: number
}

export interface ProcessGroup extends Group {
  readonly pid: number
  readonly comm: string
  /** Undefined: it is in no container. */
  readonly container: string | undefined
}

/** Reads what the fold needs of a row. */
interface Decoder {
  readonly size: number
  readonly cgroup: Reader
  readonly hierarchy: Reader
  readonly netns: Reader
  readonly role: Reader
  readonly flags: Reader
  readonly opened: Reader
  readonly closed: Reader
  readonly sent: Reader
  readonly received: Reader
  readonly rtt: Reader
  readonly averaged: readonly Reader[]
  readonly pid: Reader
  readonly comm: (rows: Buffer, at: number) => string
}

/** @throws LayoutError when a field is missing */
export function decoder(layout: Layout): Decoder {
  const of = (name: keyof TcpFlow) => numberOf(layout, name)
  return {
    size: layout.size,
    cgroup: of('cgroup'),
    hierarchy: of('hierarchy'),
    netns: of('netns'),
    role: of('role'),
    flags: of('flags'),
    opened: of('reported_ns'),
    closed: of('closed_ns'),
    sent: of('segs_sent'),
    received: of('segs_rcvd'),
    rtt: of('rtt_us'),
    averaged: AVERAGED.map(of),
    pid: of('pid'),
    comm: textOf(layout, 'comm'),
  }
}

/** Kernfs ids stay far below this; above it two could look alike as a JavaScript number. */
const SAFE = Number.MAX_SAFE_INTEGER

/** Containers, and processes, of one host in one window. */
const MOST_GROUPS = 100_000

export class Fold {
  /** What is in no container. */
  readonly host = new Group()
  readonly containers = new Map<string, ContainerGroup>()
  readonly processes = new Map<number, ProcessGroup>()
  /** Rows folded. */
  rows = 0
  /** Rows whose cgroup id cannot be told apart: none, with any kernel known. */
  refused = 0
  /** Rows that count with the host, or with no process, because there are too many containers or processes. */
  crowded = 0
  readonly #names = new Map<string, ContainerName>()
  readonly #pods = new Map<string, PodName>()
  readonly #withProcesses: boolean
  readonly #mostGroups: number

  /** @param withProcesses total per process as well, for people who watch */
  constructor(withProcesses = false, mostGroups = MOST_GROUPS) {
    this.#withProcesses = withProcesses
    this.#mostGroups = mostGroups
  }

  add(rows: Buffer, decode: Decoder, who: Who): void {
    this.#learn(who)
    const crowd = new Group()
    const groups = cgroupOwners(who, id => this.#container(id) ?? crowd, this.host)
    const namespaces = netnsOwners(who, id => this.#container(id) ?? crowd)
    const view = viewOf(rows)
    const { size, cgroup, hierarchy, netns, role } = decode
    for (let at = 0; at < rows.length; at += size) {
      const id = cgroup(view, at)
      if (id > SAFE) {
        this.refused++
        continue
      }
      let group = groups(hierarchy(view, at), id)
      if (namespaces && group === this.host) group = namespaces.get(netns(view, at)) ?? group
      const server = role(view, at) === ROLE_SERVER
      count(server ? group.server : group.client, view, at, decode)
      if (this.#withProcesses) {
        const process = this.#process(decode.pid(view, at), rows, at, decode, group)
        if (process) count(server ? process.server : process.client, view, at, decode)
        else this.crowded++
      }
    }
    this.host.add(crowd)
    this.crowded += crowd.client.flows + crowd.server.flows
    this.rows += rows.length / size
  }

  /** The window's end: who runs, with flows or without. */
  end(who: WindowWho): void {
    this.#learn(who)
    for (const id of who.running) Object.assign(this.#container(id) ?? {}, { running: true })
  }

  /** Containers whose names are on their way, and the pods whose names only these can tell. */
  waiting(): { containers: ReadonlySet<string>; pods: ReadonlySet<string> } {
    const waiting = [...this.containers.values()].filter(({ name }) => name.pending)
    const pods = waiting.flatMap(({ name }) => (name.pod && !this.#pods.has(name.pod) ? [name.pod] : []))
    return { containers: new Set(waiting.map(({ id }) => id)), pods: new Set(pods) }
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
        const name = this.#pods.get(uid) ?? { name: uid, namespace: '' }
        pod = Object.assign(new Group(), { uid, name, containers: 0 })
        pods.set(uid, pod)
      }
      pod.add(container)
      if (container.running && !container.name.sandbox) pod.containers++
    }
    return pods
  }

  podName(uid: string): PodName | undefined {
    return this.#pods.get(uid)
  }

  #learn(who: Who): void {
    for (const [uid, name] of Object.entries(who.pods))
      if (this.#pods.size < this.#mostGroups || this.#pods.has(uid)) this.#pods.set(uid, podName(name))
    for (const [id, name] of Object.entries(who.containers)) {
      const known = this.#names.get(id)
      const saysMore = name.name || name.sandbox
      if (known ? !known.pending && (known.name || !saysMore) : this.#names.size >= this.#mostGroups) continue
      this.#names.set(id, containerName(name))
      Object.assign(this.containers.get(id) ?? {}, { name: this.#names.get(id) })
    }
  }

  #container(id: string): ContainerGroup | undefined {
    let container = this.containers.get(id)
    if (!container && this.containers.size < this.#mostGroups) {
      const name = this.#names.get(id) ?? { runtime: 'unknown' }
      container = Object.assign(new Group(), { id, name, running: false })
      this.containers.set(id, container)
    }
    return container
  }

  #process(pid: number, rows: Buffer, at: number, decode: Decoder, group: Group): ProcessGroup | undefined {
    let process = this.processes.get(pid)
    if (!process && this.processes.size < this.#mostGroups) {
      const container = 'id' in group ? (group as ContainerGroup).id : undefined
      process = Object.assign(new Group(), { pid, comm: decode.comm(rows, at), container })
      this.processes.set(pid, process)
    }
    return process
  }
}

function count(totals: Totals, view: DataView, at: number, decode: Decoder): void {
  totals.flows++
  if (decode.opened(view, at) === 0 && !(decode.flags(view, at) & FLOW_PREDATES)) totals.opened++
  if (decode.closed(view, at) !== 0) totals.closed++
  if (decode.rtt(view, at) === 0 || decode.sent(view, at) + decode.received(view, at) === 0) return
  totals.measured++
  for (let i = 0; i < AVERAGED.length; i++) totals.sums[i]! += decode.averaged[i]!(view, at)
}
