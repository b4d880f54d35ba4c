/**
 * Which network namespaces an address belongs to: those in which a socket had it as its own lately. Pods come and go, and their
 * addresses with them; networks of several hosts may use the same addresses.
 */

import { BoundedMap } from '../../../wire/bounded_map.ts'

const MAX_ADDRESSES = 65_536
/** Of one address. */
const MAX_NAMESPACES = 16
const LATELY_MS = 600_000

/** A namespace of a machine: `boot netns`. */
type Namespace = string

export class Addresses {
  readonly #owners = new BoundedMap<string, Map<Namespace, number>>(MAX_ADDRESSES)
  readonly #now: () => number

  /** @param now milliseconds that only rise */
  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#owners.size
  }

  /** @param address as `keyOf` */
  learn(address: string, boot: number, netns: number): void {
    let owners = this.#owners.get(address)
    if (!owners) {
      owners = new Map()
      this.#owners.set(address, owners)
    }
    const namespace = `${boot} ${netns}`
    owners.delete(namespace)
    owners.set(namespace, this.#now())
    const [oldest] = owners.keys()
    if (owners.size > MAX_NAMESPACES) owners.delete(oldest!)
  }

  /**
   * Whether this namespace has it, and no other that could be meant: on its own machine none has, or, for who asks from
   * another machine, none anywhere.
   */
  isOf(address: string, boot: number, netns: number, askerBoot: number): boolean {
    const owners = this.#lately(address)
    const local = owners.filter(([namespace]) => namespace.startsWith(`${askerBoot} `))
    const meant = local.length > 0 ? local : owners
    return meant.length === 1 && meant[0]![0] === `${boot} ${netns}`
  }

  /** Whether another machine has it, and not this one. */
  isElsewhere(address: string, boot: number): boolean {
    const owners = this.#lately(address)
    return owners.length > 0 && !owners.some(([namespace]) => namespace.startsWith(`${boot} `))
  }

  #lately(address: string): [Namespace, number][] {
    const since = this.#now() - LATELY_MS
    return [...(this.#owners.peek(address) ?? [])].filter(([, seen]) => seen >= since)
  }
}

export const keyOf = (a: number, b: number, c: number, d: number): string =>
  String.fromCharCode(...[a, b, c, d].flatMap(word => [word & 0xffff, word >>> 16]))

/** `::` and 0.0.0.0: any. */
export const isAny = (a: number, b: number, c: number, d: number): boolean =>
  a === 0 && b === 0 && d === 0 && (c === 0 || c === MAPPED)

/** 127.0.0.0/8 and ::1. */
export const isLoopback = (a: number, b: number, c: number, d: number): boolean =>
  a === 0 && b === 0 && ((c === MAPPED && (d & 0xff) === 127) || (c === 0 && d === 0x01000000))

const MAPPED = 0xffff0000
