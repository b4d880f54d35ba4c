/** Nodes, by name and address, and the ranges that they give their pods addresses of. */

import type { Ranges } from '../addresses.ts'
import type { NodeFact } from '../facts.ts'
import { Intervals } from '../intervals.ts'
import type { NodeObject } from '../objects.ts'
import type { Index } from './keep.ts'

class Node implements NodeFact {
  object: NodeObject
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
}

export class Nodes implements Index<NodeObject> {
  readonly #byName = new Map<string, Node>()
  readonly #byAddress = new Intervals<Node>()
  readonly #podRanges: Ranges

  constructor(podRanges: Ranges) {
    this.#podRanges = podRanges
  }

  byName(name: string): NodeFact | undefined {
    return this.#byName.get(name)
  }

  byAddress(ip: string, atMs: number): NodeFact | undefined {
    return this.#byAddress.at(ip, atMs)
  }

  set(object: NodeObject, before: NodeObject | undefined, atMs: number): void {
    const node = this.#byName.get(object.name) ?? new Node(object)
    this.#byName.set(object.name, node)
    node.object = object
    for (const range of before?.podRanges ?? []) this.#podRanges.remove(range)
    for (const range of object.podRanges) this.#podRanges.add(range)
    for (const ip of before?.ips ?? []) if (!object.ips.includes(ip)) this.#byAddress.end(ip, node, atMs)
    for (const ip of object.ips) this.#byAddress.begin(ip, node, before ? atMs : object.created)
  }

  remove(object: NodeObject, atMs: number): void {
    const node = this.#byName.get(object.name)
    if (!node) return
    for (const range of node.object.podRanges) this.#podRanges.remove(range)
    for (const ip of node.object.ips) this.#byAddress.end(ip, node, atMs)
    this.#byName.delete(object.name)
  }

  expire(beforeMs: number): void {
    this.#byAddress.expire(beforeMs)
  }
}
