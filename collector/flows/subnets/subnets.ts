/** Names of address ranges: `AWS_S3_eu-west-3`. Ranges may overlap. */

import { addressBytes } from '../../../wire/address_text.ts'
import { BoundedMap } from '../../../wire/bounded_map.ts'

/** Names and their ranges, in the order in which they are given. */
export interface SubnetLabel {
  readonly name: string
  /** `3.5.204.0/22`, `2001:db8::/32`. */
  readonly cidrs: readonly string[]
}

/** Which of several ranges counts: the one that is given first, or the smallest. */
export type SubnetMatch = 'first' | 'longest'

interface Range {
  /** All sixteen, those behind the prefix as they were given. */
  readonly bytes: Uint8Array
  /** Bits, of the sixteen bytes. */
  readonly bits: number
}
interface Named {
  readonly name: string
  /** In the list. */
  readonly place: number
}

/** Bits before an IPv4 address in one of IPv6. */
const MAPPED_BITS = 96
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex')
/** Addresses whose name is remembered. */
const MAX_KNOWN = 65_536

export class Subnets {
  /** Addresses that are in none of them are asked of the cluster. */
  readonly detects: boolean
  /** By length, the longest first; then by prefix. An address asks once per length that there is. */
  readonly #ranges: readonly (readonly [bits: number, byPrefix: ReadonlyMap<string, Named>])[]
  readonly #match: SubnetMatch
  readonly #known = new BoundedMap<string, string>(MAX_KNOWN)

  /** @throws with the range that is none */
  constructor(labels: readonly SubnetLabel[] = [], match: SubnetMatch = 'first', detects = true) {
    this.detects = detects
    this.#match = match
    const ranges = new Map<number, Map<string, Named>>()
    const all = labels.flatMap(({ name, cidrs }) => cidrs.map(cidr => ({ name, ...rangeOf(cidr) })))
    for (const [place, { name, bytes, bits }] of all.entries()) {
      const byPrefix = ranges.get(bits) ?? new Map<string, Named>()
      const prefix = prefixOf(bytes, bits)
      if (!byPrefix.has(prefix)) byPrefix.set(prefix, { name, place })
      ranges.set(bits, byPrefix)
    }
    this.#ranges = [...ranges].sort(([a], [b]) => b - a)
  }

  /** @returns '' for an address in no range */
  nameOf(ip: string): string {
    if (this.#ranges.length === 0) return ''
    const known = this.#known.get(ip)
    if (known !== undefined) return known
    const bytes = addressBytes(ip)
    const name = (bytes && this.#find(bytes)?.name) ?? ''
    this.#known.set(ip, name)
    return name
  }

  /** A short range of IPv6, as `::/0`, has no IPv4 address, though these are written among its own. */
  #find(bytes: Uint8Array): Named | undefined {
    const least = MAPPED.equals(bytes.subarray(0, MAPPED.length)) ? MAPPED_BITS : 0
    let found: Named | undefined
    for (const [bits, byPrefix] of this.#ranges) {
      const one = bits < least ? undefined : byPrefix.get(prefixOf(bytes, bits))
      if (one && this.#match === 'longest') return one
      if (one && (!found || one.place < found.place)) found = one
    }
    return found
  }
}

/**
 * The bits behind the prefix may be set, as in `10.1.2.3/8`.
 * @throws with what is wrong
 */
export function rangeOf(cidr: string): Range {
  const [, ip = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? []
  const bytes = addressBytes(ip)
  const most = ip.includes(':') ? 128 : 32
  const bits = length === undefined ? most : Number(length)
  if (!bytes || bits > most)
    throw new Error(`${cidr} is no range of addresses: write it like 10.0.0.0/8 or 2001:db8::/32`)
  return { bytes, bits: ip.includes(':') ? bits : bits + MAPPED_BITS }
}

function prefixOf(bytes: Uint8Array, bits: number): string {
  const prefix = Buffer.from(bytes.subarray(0, (bits + 7) >> 3))
  const rest = bits & 7
  if (rest !== 0) prefix[prefix.length - 1]! &= 0xff << (8 - rest)
  return prefix.toString('latin1')
}
