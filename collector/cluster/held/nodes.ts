/** Nodes, by name and address, and the ranges that they give their pods addresses of. */

import type { Ranges } from '../addresses.ts'
import type { NodeFact } from '../facts.ts'
import { Intervals } from '../intervals.ts'
import type { NodeObject } from '../objects.ts'
import type { Index } from './keep.ts'
import { Shared } from './shared.ts'

class Node implements NodeFact {
  object: NodeObject
  /** Undefined: it goes on. */
  until: number | undefined
  constructor(object: NodeObject) {
    this.object = object
  }
  get name() {
    return this.object.name
  }
  get uid() {
    return this.object.uid
  }
  get zone() {
    return this.object.zone
  }
  get ips() {
    return this.object.ips
  }
}

export class Nodes implements Index<NodeObject> {
  /** Those that are gone for a while, too: pods that were there are still asked about. */
  readonly #byName = new Map<string, Node>()
  readonly #byAddress = new Intervals<Node>()
  readonly #byExternal = new Shared<Node>()
  readonly #podRanges: Ranges

  constructor(podRanges: Ranges) {
    this.#podRanges = podRanges
  }

  get refused(): number {
    return this.#byAddress.refused
  }

  byName(name: string): NodeFact | undefined {
    return this.#byName.get(name)
  }

  /** @returns undefined where it is the external address of several */
  byAddress(ip: string, atMs: number): NodeFact | undefined {
    const found = this.#byAddress.at(ip, atMs)
    return found ?? (this.#byExternal.isShared(ip) ? undefined : this.#byExternal.at(ip, atMs))
  }

  isAddress(ip: string, atMs: number): boolean {
    return this.#byAddress.at(ip, atMs) !== undefined || this.#byExternal.at(ip, atMs) !== undefined
  }

  set(object: NodeObject, before: NodeObject | undefined, atMs: number): void {
    const known = before && this.#byName.get(object.name)
    const node = known ?? new Node(object)
    this.#byName.set(object.name, node)
    node.object = object
    for (const range of before?.podRanges ?? []) this.#podRanges.remove(range)
    for (const range of object.podRanges) this.#podRanges.add(range)
    const from = before ? atMs : object.created
    // an address may go from one list to another of the same index
    for (const [index, list] of this.#lists)
      for (const ip of before?.[list] ?? []) if (!object[list].includes(ip)) index.end(ip, node, atMs)
    for (const [index, list] of this.#lists) for (const ip of object[list]) index.begin(ip, node, from)
  }

  remove(object: NodeObject, atMs: number): void {
    const node = this.#byName.get(object.name)
    if (!node) return
    for (const range of node.object.podRanges) this.#podRanges.remove(range)
    for (const [index, list] of this.#lists) for (const ip of node.object[list]) index.end(ip, node, atMs)
    node.until = atMs
  }

  expire(beforeMs: number): void {
    for (const [index] of this.#lists) index.expire(beforeMs)
    for (const [name, { until }] of this.#byName)
      if (until !== undefined && until < beforeMs) this.#byName.delete(name)
  }

  get #lists() {
    return [
      [this.#byAddress, 'ips'],
      [this.#byAddress, 'podIps'],
      [this.#byExternal, 'externalIps'],
    ] as const
  }
}
