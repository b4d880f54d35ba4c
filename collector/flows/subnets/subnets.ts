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
  readonly name: string
  readonly bytes: Uint8Array
  /** Bits, of the sixteen bytes. */
  readonly bits: number
}

/** Addresses whose name is remembered. */
const MAX_KNOWN = 65_536

export class Subnets {
  /** Addresses that are in none of them are asked of the cluster. */
  readonly detects: boolean
  readonly #ranges: readonly Range[]
  readonly #known = new BoundedMap<string, string>(MAX_KNOWN)

  /** @throws with the range that is none */
  constructor(labels: readonly SubnetLabel[] = [], match: SubnetMatch = 'first', detects = true) {
    this.detects = detects
    const ranges = labels.flatMap(({ name, cidrs }) => cidrs.map(cidr => ({ name, ...rangeOf(cidr) })))
    this.#ranges = match === 'first' ? ranges : ranges.toSorted((a, b) => b.bits - a.bits)
  }

  /** @returns '' for an address in no range */
  nameOf(ip: string): string {
    if (this.#ranges.length === 0) return ''
    const known = this.#known.get(ip)
    if (known !== undefined) return known
    const bytes = addressBytes(ip)
    const name = (bytes && this.#ranges.find(range => contains(range, bytes))?.name) ?? ''
    this.#known.set(ip, name)
    return name
  }
}

/**
 * The bits behind the prefix may be set, as in `10.1.2.3/8`.
 * @throws with what is wrong
 */
export function rangeOf(cidr: string): Omit<Range, 'name'> {
  const [, ip = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? []
  const bytes = addressBytes(ip)
  const most = ip.includes(':') ? 128 : 32
  const bits = length === undefined ? most : Number(length)
  if (!bytes || bits > most)
    throw new Error(`${cidr} is no range of addresses: write it like 10.0.0.0/8 or 2001:db8::/32`)
  return { bytes, bits: ip.includes(':') ? bits : bits + 96 }
}

function contains({ bytes, bits }: Range, address: Uint8Array): boolean {
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (bytes[at] !== address[at]) return false
  const rest = 8 - (bits & 7)
  return rest === 8 || bytes[whole]! >> rest === address[whole]! >> rest
}
