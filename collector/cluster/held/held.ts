/** What is known of the cluster, from whatever source. */

import { addressBytes } from '../../../wire/address_text.ts'
import { Ranges } from '../addresses.ts'
import type { ClusterFacts, Protocol, RangeName, ServiceFact } from '../facts.ts'
import type { Json } from '../json.ts'
import { KIND_NAMES, KINDS, type Kind, type Objects } from '../kinds.ts'
import {
  isObject,
  type Named,
  type NamespaceObject,
  type OwnedObject,
  type Port,
  type RangesObject,
} from '../objects.ts'
import { Endpoints } from './endpoints.ts'
import { type Index, Keep, keyOf } from './keep.ts'
import { Nodes } from './nodes.ts'
import { Pods } from './pods.ts'
import { factOf, Services } from './services.ts'
import { workloadOf } from './workloads.ts'

/** Flows of what is gone come late: their record is made when they end, or when their host is heard again. */
const HISTORY_MS = 600_000

/** Where a source puts what it reads. Objects are as the API has them; times are milliseconds since the epoch. */
export interface Receiver {
  /** @returns false for what is no object of the API: it was counted */
  set(kind: Kind, object: unknown, atMs: number): boolean
  /** One that was read before. */
  put<K extends Kind>(kind: K, known: Objects[K], atMs: number): void
  remove(kind: Kind, object: unknown, atMs: number): void
  /** All objects of the kind come next… */
  beginList(kind: Kind): void
  /** …and these were all: what was not among them is gone. */
  endList(kind: Kind, atMs: number): void
}

const nothing: Index<Named> = { set: () => {}, remove: () => {} }

export class Held implements ClusterFacts, Receiver {
  readonly isKnown = true
  /** Objects without a name. */
  bad = 0
  readonly #podRanges = new Ranges()
  readonly #serviceRanges = new Ranges()
  readonly #nodes = new Nodes(this.#podRanges)
  readonly #services = new Services()
  readonly #endpoints = new Endpoints()
  readonly #pods = new Pods({
    zoneOf: node => this.#nodes.byName(node)?.zone ?? '',
    workloadOf: pod => workloadOf(pod, this.#keeps),
  })
  readonly #keeps: { readonly [K in Kind]: Keep<Objects[K]> } = {
    Namespace: new Keep<NamespaceObject>(nothing, KINDS.Namespace.most, true),
    Node: new Keep(this.#nodes, KINDS.Node.most),
    ReplicaSet: new Keep<OwnedObject>(nothing, KINDS.ReplicaSet.most, true),
    Job: new Keep<OwnedObject>(nothing, KINDS.Job.most, true),
    Pod: new Keep(this.#pods, KINDS.Pod.most),
    Service: new Keep(this.#services, KINDS.Service.most),
    EndpointSlice: new Keep(this.#endpoints, KINDS.EndpointSlice.most),
    ServiceCIDR: new Keep(rangesIn(this.#serviceRanges), KINDS.ServiceCIDR.most),
  }

  podByAddress(ip: string, atMs: number) {
    return this.#pods.byAddress(ip, atMs)
  }
  podByUid(uid: string) {
    return this.#pods.byUid(uid)
  }
  containerName(id: string) {
    return this.#pods.containerName(id)
  }
  nodeByAddress(ip: string, atMs: number) {
    return this.#nodes.byAddress(ip, atMs)
  }
  nodeByName(name: string) {
    return this.#nodes.byName(name)
  }

  namespaceByName(name: string) {
    return this.#keeps.Namespace.get('', name)
  }

  serviceByAddress(ip: string, port: number, protocol: Protocol, atMs: number) {
    return this.#services.byAddress(ip, port, protocol, atMs, this.#nodes.isAddress(ip, atMs))
  }

  serviceByEndpoint(ip: string, port: number, protocol: Protocol, atMs: number): ServiceFact | undefined {
    const all = this.#endpoints.at(ip, port, protocol, atMs)
    // a Service has pods of its own namespace: an address in a slice of another is what somebody wrote there
    const where = all.length > 1 ? this.#pods.byAddress(ip, atMs)?.namespace : undefined
    const own = where === undefined ? all : all.filter(one => one.namespace === where)
    const [one, another] = new Map(own.map(one => [keyOf(one.namespace, one.service), one])).values()
    if (!one || another) return undefined
    const { namespace, service: name } = one
    // a Service and its slices change one after the other
    const [then, now] = [
      this.#services.byName(namespace, name, atMs),
      this.#keeps.Service.get(namespace, name),
    ]
    // several ports of a Service may lead to one of a pod: then the first that it has
    const answers = (port: Port) =>
      port.protocol === protocol && own.some(({ portName }) => portName === port.name)
    for (const service of [then, now]) {
      const port = service?.ports.find(answers)
      if (service && port) return factOf(service, port, ip)
    }
    return undefined
  }

  answeredByPods(namespace: string, service: string): boolean {
    const ips = this.#endpoints.backends.of(namespace, service)
    return ips.length === 0 || ips.some(ip => this.rangeOf(ip, Number.MAX_SAFE_INTEGER) === 'Pods')
  }

  rangeOf(ip: string, atMs: number): RangeName | '' {
    if (this.#nodes.isAddress(ip, atMs)) return 'Machines'
    if (this.#pods.byAddress(ip, atMs)) return 'Pods'
    if (this.#services.isAddress(ip, atMs)) return 'Services'
    const bytes = addressBytes(ip)
    if (!bytes) return ''
    if (this.#podRanges.has(bytes)) return 'Pods'
    return this.#serviceRanges.has(bytes) ? 'Services' : ''
  }

  set<K extends Kind>(kind: K, object: unknown, atMs: number): boolean {
    const known = this.#read(kind, object)
    if (known) this.put(kind, known, atMs)
    return known !== undefined
  }

  put<K extends Kind>(kind: K, known: Objects[K], atMs: number): void {
    this.#keeps[kind].set(known, atMs)
  }

  remove<K extends Kind>(kind: K, object: unknown, atMs: number): void {
    const known = this.#read(kind, object)
    if (known) this.#keeps[kind].remove(known, atMs)
  }

  beginList(kind: Kind): void {
    this.#keeps[kind].beginList()
  }

  endList(kind: Kind, atMs: number): void {
    this.#keeps[kind].endList(atMs)
  }

  expire(nowMs: number): void {
    for (const kind of KIND_NAMES) this.#keeps[kind].expire(nowMs - HISTORY_MS)
  }

  /** Objects, by kind. */
  sizes(): Readonly<Record<Kind, number>> {
    return Object.fromEntries(KIND_NAMES.map(kind => [kind, this.#keeps[kind].size])) as Record<Kind, number>
  }

  /** Objects that found no room. */
  get refused(): number {
    return KIND_NAMES.reduce((sum, kind) => sum + this.#keeps[kind].refused, 0)
  }

  #read<K extends Kind>(kind: K, object: unknown): Objects[K] | undefined {
    if (isObject(object)) return KINDS[kind].read(object as Json)
    this.bad++
    return undefined
  }
}

function rangesIn(ranges: Ranges): Index<RangesObject> {
  const remove = (object: RangesObject) => {
    for (const range of object.ranges) ranges.remove(range)
  }
  return {
    remove,
    set(object, before) {
      if (before) remove(before)
      for (const range of object.ranges) ranges.add(range)
    },
  }
}
