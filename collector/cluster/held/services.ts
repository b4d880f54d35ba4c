/** Services, by what clients ask for: an address and a port, or a port of any node. */

import type { Protocol, ServiceFact } from '../facts.ts'
import { Intervals } from '../intervals.ts'
import type { Port, ServiceObject } from '../objects.ts'
import { type Index, keyOf, portKey } from './keep.ts'
import { Shared } from './shared.ts'

/** Of a node port: any node's address of its family. */
const ANY = { 4: '*', 6: '*:' } as const
const isV6 = (ip: string): boolean => ip.includes(':')

/**
 * Cluster addresses are given by the cluster, one to a Service. The others are what its owner has written, which may be anything:
 * such a claim comes second (CVE-2020-8554).
 */
const claimed = (ip: string): string => `claimed ${ip}`

interface Known {
  readonly object: ServiceObject
  /** What it has in `#byPort`. */
  readonly facts: ReadonlyMap<string, ServiceFact>
}

export class Services implements Index<ServiceObject> {
  readonly #byPort = new Shared<ServiceFact>()
  readonly #byAddress = new Shared<string>()
  readonly #byName = new Intervals<ServiceObject>()
  readonly #known = new Map<string, Known>()

  /** @param isNode whether it is the address of a node */
  byAddress(
    ip: string,
    port: number,
    protocol: Protocol,
    atMs: number,
    isNode: boolean,
  ): ServiceFact | undefined {
    const found =
      this.#byPort.at(portKey(ip, port, protocol), atMs) ??
      this.#byPort.at(portKey(claimed(ip), port, protocol), atMs)
    if (found || !isNode) return found
    return this.#byPort.at(portKey(ANY[isV6(ip) ? 6 : 4], port, protocol), atMs)
  }

  /** As it was then: its ports may have changed since, and it may be gone. */
  byName(namespace: string, name: string, atMs: number): ServiceObject | undefined {
    return this.#byName.at(keyOf(namespace, name), atMs)
  }

  isAddress(ip: string, atMs: number): boolean {
    return (this.#byAddress.at(ip, atMs) ?? this.#byAddress.at(claimed(ip), atMs)) !== undefined
  }

  get refused(): number {
    return this.#byPort.refused + this.#byAddress.refused + this.#byName.refused
  }

  set(object: ServiceObject, before: ServiceObject | undefined, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    const from = before ? atMs : object.created
    const known = this.#known.get(key)
    const facts = new Map(factsOf(object))
    for (const [port, fact] of known?.facts ?? []) {
      const now = facts.get(port)
      if (now && isSame(now, fact)) facts.set(port, fact)
      else this.#byPort.end(port, fact, atMs)
    }
    for (const [port, fact] of facts) this.#byPort.begin(port, fact, from)
    const addresses = new Set(addressesOf(object).map(at => at.key))
    for (const at of before ? addressesOf(before) : [])
      if (!addresses.has(at.key)) this.#byAddress.end(at.key, key, atMs)
    for (const at of addresses) this.#byAddress.begin(at, key, from)
    this.#known.set(key, { object: this.#named(key, object, known?.object, from), facts })
  }

  /** @returns what stands for it by name: what was known, where that says the same */
  #named(key: string, object: ServiceObject, had: ServiceObject | undefined, from: number): ServiceObject {
    if (
      had &&
      JSON.stringify([had.ports, had.clusterIps]) === JSON.stringify([object.ports, object.clusterIps])
    )
      return had
    if (had) this.#byName.end(key, had, from)
    this.#byName.begin(key, object, from)
    return object
  }

  remove(object: ServiceObject, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    const known = this.#known.get(key)
    for (const [port, fact] of known?.facts ?? []) this.#byPort.end(port, fact, atMs)
    for (const at of addressesOf(object)) this.#byAddress.end(at.key, key, atMs)
    if (known) this.#byName.end(key, known.object, atMs)
    this.#known.delete(key)
  }

  expire(beforeMs: number): void {
    this.#byPort.expire(beforeMs)
    this.#byAddress.expire(beforeMs)
    this.#byName.expire(beforeMs)
  }
}

const addressesOf = ({ clusterIps, otherIps }: ServiceObject) => [
  ...clusterIps.map(ip => ({ ip, key: ip })),
  ...otherIps.map(ip => ({ ip, key: claimed(ip) })),
]

function factsOf(object: ServiceObject): [string, ServiceFact][] {
  const { clusterIps } = object
  const families = clusterIps.length === 0 ? [] : [...new Set(clusterIps.map(isV6))]
  const nodes = families.map(v6 => (v6 ? ANY[6] : ANY[4]))
  return object.ports.flatMap(port => [
    ...addressesOf(object).map(({ ip, key }): [string, ServiceFact] => [
      portKey(key, port.port, port.protocol),
      factOf(object, port, ip),
    ]),
    ...(port.nodePort === 0 ? [] : nodes).map((any): [string, ServiceFact] => [
      portKey(any, port.nodePort, port.protocol),
      factOf(object, port, any),
    ]),
  ])
}

/** @param ip that was asked for: of the cluster's addresses, the one of its family is the Service's */
export function factOf(object: ServiceObject, { name, port }: Omit<Port, 'nodePort'>, ip = ''): ServiceFact {
  const clusterIP = object.clusterIps.find(one => isV6(one) === isV6(ip)) ?? object.clusterIps[0] ?? ''
  const { namespace, name: service, uid } = object
  return { namespace, name: service, uid, portName: name, port, clusterIP }
}

const isSame = (a: ServiceFact, b: ServiceFact): boolean =>
  a.uid === b.uid && a.portName === b.portName && a.port === b.port && a.clusterIP === b.clusterIP
