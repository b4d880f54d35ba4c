/**
 * Which network namespaces an address belongs to: those in which a socket had it as its own lately. Pods come and go, and their
 * addresses with them; networks of several hosts may use the same addresses.
 */

import { BoundedMap } from '../../../wire/bounded_map.ts'

const MAX_ADDRESSES = 65_536
/** Of one address. */
const MAX_NAMESPACES = 16
const LATELY_MS = 600_000

/** Of one namespace: those that were used last. */
const MAX_OWN = 64

/** Four words of an address. */
export type Words = readonly [number, number, number, number]

/** Of a machine. */
export interface Namespace {
  readonly boot: number
  readonly netns: number
}
interface Owner extends Namespace {
  /** Milliseconds. */
  readonly seen: number
}

export class Addresses {
  /** By address, then by namespace. */
  readonly #owners = new BoundedMap<string, Map<string, Owner>>(MAX_ADDRESSES)
  /** By namespace: its addresses. */
  readonly #own = new BoundedMap<string, BoundedMap<string, Words>>(MAX_ADDRESSES)
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
    owners.set(namespace, { boot, netns, seen: this.#now() })
    const [oldest] = owners.keys()
    if (owners.size > MAX_NAMESPACES) owners.delete(oldest!)
    let own = this.#own.get(namespace)
    if (!own) {
      own = new BoundedMap(MAX_OWN)
      this.#own.set(namespace, own)
    }
    if (own.get(address) === undefined) own.set(address, wordsOf(address))
  }

  /** Addresses that this namespace has had. */
  ownOf({ boot, netns }: Namespace): Words[] {
    return [...(this.#own.peek(`${boot} ${netns}`)?.values() ?? [])]
  }

  /**
   * The namespace that has it, when no other could be meant: on its own machine none has, or, for who asks from another
   * machine, none anywhere.
   */
  ownerOf(address: string, askerBoot: number): Namespace | undefined {
    const owners = this.#lately(address)
    const local = owners.filter(({ boot }) => boot === askerBoot)
    const meant = local.length > 0 ? local : owners
    return meant.length === 1 ? meant[0] : undefined
  }

  /** Whether this namespace, and no other that could be meant, has it. */
  isOf(address: string, { boot, netns }: Namespace, askerBoot: number): boolean {
    const owner = this.ownerOf(address, askerBoot)
    return owner?.boot === boot && owner.netns === netns
  }

  /** Whether a socket that a probe watches has had it lately, on any machine. */
  isWatched(address: string): boolean {
    return this.#lately(address).length > 0
  }

  /** Whether another machine has it, and not this one. */
  isElsewhere(address: string, boot: number): boolean {
    const owners = this.#lately(address)
    return owners.length > 0 && !owners.some(owner => owner.boot === boot)
  }

  #lately(address: string): Owner[] {
    const since = this.#now() - LATELY_MS
    return [...(this.#owners.peek(address)?.values() ?? [])].filter(({ seen }) => seen >= since)
  }
}

export const keyOf = (a: number, b: number, c: number, d: number): string =>
  String.fromCharCode(...[a, b, c, d].flatMap(word => [word & 0xffff, word >>> 16]))

const wordsOf = (key: string): Words => {
  const word = (at: number) => (key.charCodeAt(2 * at) | (key.charCodeAt(2 * at + 1) << 16)) >>> 0
  return [word(0), word(1), word(2), word(3)]
}

/** `::` and 0.0.0.0: any. */
export const isAny = (a: number, b: number, c: number, d: number): boolean =>
  a === 0 && b === 0 && d === 0 && (c === 0 || c === MAPPED)

/** 127.0.0.0/8 and ::1. */
export const isLoopback = (a: number, b: number, c: number, d: number): boolean =>
  a === 0 && b === 0 && ((c === MAPPED && (d & 0xff) === 127) || (c === 0 && d === 0x01000000))

const MAPPED = 0xffff0000

/** 127.0.0.1 and ::1. */
export const LOOPBACKS: readonly Words[] = [
  [0, 0, MAPPED, 0x0100007f],
  [0, 0, 0, 0x01000000],
]
