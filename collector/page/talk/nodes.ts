/** What a node of the map is, and what it is called. */

import { type Called, calledOf } from '../../flows/conversation.ts'
import { type AskedService, beganMs, type ClusterEnd, clusterEndOf } from '../../flows/ends/cluster_ends.ts'
import { ipAt } from '../../flows/ends/endpoint.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { Problem } from '../../routes.ts'

export interface Node {
  readonly id: string
  readonly name: string
  /** No probe sees it. */
  readonly outside: boolean
  /** Filters that show it alone. */
  readonly only: Readonly<Record<string, string>>
}

type Described = Pick<Node, 'id' | 'name' | 'only'>
type Named = readonly [id: string, name: string]
/** Containers of many pods have the same name. */
const nameOf = ({ pod, containerName, container }: Called): string =>
  [pod, containerName || container].filter(Boolean).join('/')
const containerOf = (end: Called): Named => [`${end.host} ${end.container}`, nameOf(end) || `(${end.host})`]
const podOf = (end: Called): Named =>
  end.pod ? [`${end.namespace}/${end.pod}`, `${end.namespace}/${end.pod}`] : containerOf(end)
export type By = 'container' | 'pod' | 'workload' | 'process' | 'host' | 'node'
/** @param known what the cluster says of the end */
const NAMES: Readonly<Record<By, (end: Called, known: ClusterEnd | undefined) => Named>> = {
  container: containerOf,
  pod: podOf,
  workload: (end, known) => (known && workloadOf(known)) ?? podOf(end),
  process: end => [
    `${end.host} ${end.container} ${end.process}`,
    end.container ? `${end.process} in ${nameOf(end)}` : end.process,
  ],
  host: end => [end.host, end.host],
  node: (end, known) => [known?.node || end.host, known?.node || end.host],
}
/** Those that are asked of the cluster. */
const BY_CLUSTER: readonly By[] = ['workload', 'node']
/** Where only nodes are shown: all that is outside of the cluster, and what is in it on a node that is not known. */
const OUTSIDE: Described = { id: '(outside)', name: '(outside)', only: {} }
const ELSEWHERE: Described = { id: '(unknown)', name: '(node not known)', only: {} }

/** @throws {Problem} when there is no such map */
export function byOf(asked: URLSearchParams): By {
  const by = asked.get('by') ?? 'container'
  if (!Object.hasOwn(NAMES, by)) throw new Problem(400, `by must be one of ${Object.keys(NAMES).join(', ')}`)
  return by as By
}

/** Each node once, by number. */
export class Nodes {
  readonly #store: FlowStore
  readonly #by: By
  readonly #numbers = new Map<string, number>()
  readonly #all: Node[] = []

  constructor(store: FlowStore, by: By) {
    this.#store = store
    this.#by = by
  }

  at(number: number): Node {
    return this.#all[number]!
  }

  /** @param flow of the end, 0: unknown. @param other the flow of the other end, which has its address */
  numberOf(flow: number, other: number): number {
    const number = this.#numberOf(flow === 0 ? this.#unwatched(other) : this.#watched(flow))
    // one that is seen by its address here is watched elsewhere, perhaps
    if (flow !== 0 && this.#all[number]!.outside)
      this.#all[number] = { ...this.#all[number]!, outside: false }
    return number
  }

  numberOfService({ namespace, name, portName, port }: AskedService): number {
    const called = `${namespace}/${name}`
    return this.#numberOf({
      id: `service ${called}:${portName || port}`,
      ...{ name: `${called}:${portName || port}`, only: { text: `=${called}` } },
    })
  }

  #numberOf(described: Described): number {
    const known = this.#numbers.get(described.id)
    if (known !== undefined) return known
    this.#numbers.set(described.id, this.#all.length)
    return this.#all.push({ ...described, outside: true }) - 1
  }

  #watched(flow: number): Described {
    const end = calledOf(this.#store, flow)
    const known = BY_CLUSTER.includes(this.#by) ? clusterEndOf(this.#store, flow, 0, 0) : undefined
    const [id, name] = NAMES[this.#by](end, known)
    return { id, name, only: onlyOf(this.#by, end, name) }
  }

  /** As the cluster calls it, else its address. */
  #unwatched(far: number): Described {
    const atMs = beganMs(this.#store, far)
    const known = clusterEndOf(this.#store, 0, far, atMs)
    if (known) return describedBy(this.#by, known)
    const ip = ipAt(this.#store, far, 'remote')
    if (this.#by === 'node') return this.#store.facts.rangeOf(ip, atMs) === '' ? OUTSIDE : ELSEWHERE
    return { id: ip, name: ip, only: { text: `=${ip}` } }
  }
}

function workloadOf({ namespace, ownerKind, ownerName }: ClusterEnd): Named | undefined {
  if (!ownerName) return undefined
  return [`${ownerKind} ${namespace}/${ownerName}`, `${namespace}/${ownerName}`]
}

/** An end that no probe watches; of a pod and of a node it is the same one that a probe would tell of. */
function describedBy(by: By, end: ClusterEnd): Described {
  const { kind, name, namespace, node } = end
  if ((by === 'node' || by === 'host') && node) return { id: node, name: node, only: { text: `=${node}` } }
  if (by === 'node') return ELSEWHERE
  const called = namespace === undefined ? name : `${namespace}/${name}`
  if (kind !== 'pod')
    return { id: `${kind} ${called}`, name: `${called} (${kind})`, only: { text: `=${called}` } }
  const workload = by === 'workload' ? workloadOf(end) : undefined
  if (workload) return { id: workload[0], name: workload[1], only: { text: `=${workload[1]}` } }
  return { id: called, name: called, only: { namespace: namespace ?? '', pod: name } }
}

function onlyOf(by: By, end: Called, name: string): Record<string, string> {
  if (by === 'host' || by === 'node') return { host: end.host }
  if (by === 'workload' && end.pod) return { text: `=${name}` }
  if (by === 'pod' && end.pod) return { namespace: end.namespace ?? '', pod: end.pod }
  const container = end.container ? { container: end.container } : { container: '(host)', host: end.host }
  return by === 'process' ? { ...container, process: end.process } : container
}
