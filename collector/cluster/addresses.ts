/** Addresses and their ranges, as the flow stage writes them: whatever form the API has them in. */

import { addressBytes, addressText } from '../../wire/address_text.ts'
import { text } from './json.ts'

/** Addresses of one object, each with each of its ports: a slice has at most 1,000 endpoints. */
const MAX_PAIRS = 10_000

/** The same text for the same address; of what is no address, its own. */
function canonical(ip: string): string {
  const bytes = addressBytes(ip)
  return bytes ? textOf(bytes) : ip
}

function textOf(bytes: Uint8Array): string {
  const words = new DataView(bytes.buffer, bytes.byteOffset)
  const word = (at: number) => words.getUint32(at, true)
  return addressText(word(0), word(4), word(8), word(12))
}

/** Of what another program says they are. */
export const addresses = (found: readonly unknown[]): string[] => [
  ...new Set(found.map(text).filter(addressBytes).map(canonical)),
]

/** Ports first: a Service of which some addresses are known is better than one with half of its ports. */
export function bounded<P>(given: readonly string[], all: readonly P[]) {
  const ports = all.slice(0, MAX_PAIRS)
  const ips = given.slice(0, Math.floor(MAX_PAIRS / Math.max(1, ports.length)))
  return { ips, ports, cut: given.length * all.length - ips.length * ports.length }
}

interface Length {
  readonly bits: number
  /** Of each range its first bits, and how often it was added. */
  readonly heads: Map<string, number>
}

/** Ranges of addresses: as many look-ups as there are lengths of them, mostly one or two. */
export class Ranges {
  readonly #lengths: Length[] = []

  add(range: string): void {
    const { bytes, bits } = bytesOf(range) ?? {}
    if (!bytes || bits === undefined) return
    let length = this.#lengths.find(one => one.bits === bits)
    if (!length) {
      length = { bits, heads: new Map() }
      this.#lengths.push(length)
    }
    const head = headOf(bytes, bits)
    length.heads.set(head, (length.heads.get(head) ?? 0) + 1)
  }

  remove(range: string): void {
    const { bytes, bits } = bytesOf(range) ?? {}
    const length = this.#lengths.find(one => one.bits === bits)
    if (!bytes || !length) return
    const head = headOf(bytes, length.bits)
    const left = (length.heads.get(head) ?? 0) - 1
    if (left > 0) length.heads.set(head, left)
    else length.heads.delete(head)
  }

  has(bytes: Uint8Array): boolean {
    return this.#lengths.some(({ bits, heads }) => heads.has(headOf(bytes, bits)))
  }
}

/** Bits are those of the sixteen bytes. */
function bytesOf(range: string): { bytes: Uint8Array; bits: number } | undefined {
  const [, ip = '', length] = /^([^/]+)\/(\d{1,3})$/.exec(range) ?? []
  const bytes = addressBytes(ip)
  const bits = Number(length) + (ip.includes(':') ? 0 : 96)
  return bytes && bits <= 128 ? { bytes, bits } : undefined
}

/** @param place of the addresses of the range, from 0 to 255 @returns undefined where it has none there */
export function addressIn(range: string, place: number): string | undefined {
  const { bytes, bits = 128 } = bytesOf(range) ?? {}
  if (!bytes || place >= 2 ** Math.min(8, 128 - bits)) return undefined
  const own = bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * at))))
  own[15] = own[15]! + place
  return textOf(own)
}

function headOf(bytes: Uint8Array, bits: number): string {
  const whole = bits >> 3
  const rest = 8 - (bits & 7)
  const head = String.fromCharCode(...bytes.subarray(0, whole))
  return rest === 8 ? head : head + String.fromCharCode(bytes[whole]! >> rest)
}
