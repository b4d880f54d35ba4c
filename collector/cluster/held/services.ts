/** Services, by what clients ask for: an address and a port, or a port of any node. */

import type { Protocol, ServiceFact } from '../facts.ts'
import { Intervals } from '../intervals.ts'
import type { Port, ServiceObject } from '../objects.ts'
import { type Index, keyOf } from './keep.ts'

const portKey = (ip: string, port: number, protocol: Protocol): string => `${ip} ${port}/${protocol}`
/** Of a node port: any node's address. */
const ANY = '*'

export class Services implements Index<ServiceObject> {
  readonly #byPort = new Intervals<ServiceFact>()
  readonly #byAddress = new Intervals<string>()
  /** What each Service has in `#byPort`. */
  readonly #facts = new Map<string, ReadonlyMap<string, ServiceFact>>()

  /** @param isNode whether it is the address of a node */
  byAddress(
    ip: string,
    port: number,
    protocol: Protocol,
    atMs: number,
    isNode: boolean,
  ): ServiceFact | undefined {
    return (
      this.#byPort.at(portKey(ip, port, protocol), atMs) ??
      (isNode ? this.#byPort.at(portKey(ANY, port, protocol), atMs) : undefined)
    )
  }

  isAddress(ip: string, atMs: number): boolean {
    return this.#byAddress.at(ip, atMs) !== undefined
  }

  set(object: ServiceObject, before: ServiceObject | undefined, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    const from = before ? atMs : object.created
    const had = this.#facts.get(key) ?? new Map<string, ServiceFact>()
    const facts = new Map(factsOf(object))
    for (const [port, fact] of had) {
      const now = facts.get(port)
      if (now && isSame(now, fact)) facts.set(port, fact)
      else this.#byPort.end(port, fact, atMs)
    }
    for (const [port, fact] of facts) if (had.get(port) !== fact) this.#byPort.begin(port, fact, from)
    this.#facts.set(key, facts)
    for (const ip of before ? addressesOf(before) : [])
      if (!addressesOf(object).includes(ip)) this.#byAddress.end(ip, key, atMs)
    for (const ip of addressesOf(object)) this.#byAddress.begin(ip, key, from)
  }

  remove(object: ServiceObject, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    for (const [port, fact] of this.#facts.get(key) ?? []) this.#byPort.end(port, fact, atMs)
    for (const ip of addressesOf(object)) this.#byAddress.end(ip, key, atMs)
    this.#facts.delete(key)
  }

  expire(beforeMs: number): void {
    this.#byPort.expire(beforeMs)
    this.#byAddress.expire(beforeMs)
  }
}

const addressesOf = ({ clusterIps, otherIps }: ServiceObject): string[] => [...clusterIps, ...otherIps]

function factsOf(object: ServiceObject): [string, ServiceFact][] {
  return object.ports.flatMap(port => [
    ...addressesOf(object).map((ip): [string, ServiceFact] => [
      portKey(ip, port.port, port.protocol),
      factOf(object, port, ip),
    ]),
    ...(port.nodePort === 0
      ? []
      : [[portKey(ANY, port.nodePort, port.protocol), factOf(object, port)] satisfies [string, ServiceFact]]),
  ])
}

/** @param ip that was asked for: of the cluster's addresses, the one of its family is the Service's */
export function factOf(object: ServiceObject, { name, port }: Omit<Port, 'nodePort'>, ip = ''): ServiceFact {
  const isV6 = ip.includes(':')
  const clusterIP = object.clusterIps.find(one => one.includes(':') === isV6) ?? object.clusterIps[0] ?? ''
  const { namespace, name: service, uid } = object
  return { namespace, name: service, uid, portName: name, port, clusterIP }
}

const isSame = (a: ServiceFact, b: ServiceFact): boolean =>
  a.uid === b.uid && a.portName === b.portName && a.port === b.port && a.clusterIP === b.clusterIP
