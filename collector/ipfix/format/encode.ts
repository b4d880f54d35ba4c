/** Templates and records as bytes: RFC 7011, 3.4 and 6.1. Big-endian throughout. */

import { addressBytes } from '../../../wire/address_text.ts'
import { ELEMENTS, type ElementName, type ElementType } from './elements.ts'
import type { Template } from './templates.ts'

/** Numbers; addresses and other texts as text, '' for none. */
export type Value = number | string

/** Field length of a template for what has its own length in each record: RFC 7011, 7. */
const VARIABLE = 65_535
/** A text of this length or more has it in three bytes. */
const LONG = 255
const ENTERPRISE_BIT = 0x8000

interface Fixed {
  readonly bytes: number
  write(buffer: Buffer, value: Value, at: number): void
}
const MAX_U64 = 2 ** 64 - 1
const atMost = (value: Value, most: number): number => Math.min(Math.max(Math.trunc(Number(value)), 0), most)

const FIXED: Readonly<Record<Exclude<ElementType, 'string'>, Fixed>> = {
  u8: { bytes: 1, write: (buffer, value, at) => void buffer.writeUInt8(atMost(value, 0xff), at) },
  u16: { bytes: 2, write: (buffer, value, at) => void buffer.writeUInt16BE(atMost(value, 0xffff), at) },
  u32: { bytes: 4, write: writeWord },
  seconds: { bytes: 4, write: writeWord },
  u64: { bytes: 8, write: writeLong },
  milliseconds: { bytes: 8, write: writeLong },
  ipv4: {
    bytes: 4,
    write: (buffer, value, at) => void buffer.set(ipv4Bytes(String(value)) ?? NO_IPV4, at),
  },
  ipv6: {
    bytes: 16,
    write: (buffer, value, at) => void buffer.set(addressBytes(String(value)) ?? NO_IPV6, at),
  },
}
const [NO_IPV4, NO_IPV6] = [Buffer.alloc(4), Buffer.alloc(16)]

/** Of an address of the other family nothing fits into four bytes. */
const ipv4Bytes = (ip: string): Uint8Array | undefined =>
  isOtherFamily('ipv4', ip) ? undefined : addressBytes(ip)?.subarray(12)

/** An IPv4 address fits into an element of IPv6, mapped; no IPv6 address into one of IPv4. */
export const isOtherFamily = (type: ElementType, ip: string): boolean => type === 'ipv4' && ip.includes(':')

function writeWord(buffer: Buffer, value: Value, at: number): void {
  buffer.writeUInt32BE(atMost(value, 0xffffffff), at)
}
function writeLong(buffer: Buffer, value: Value, at: number): void {
  const number = atMost(value, MAX_U64)
  buffer.writeUInt32BE(Math.floor(number / 2 ** 32) % 2 ** 32, at)
  buffer.writeUInt32BE(number % 2 ** 32, at + 4)
}

/** Of a template record: its id, how many fields, and each field's id and length. */
export function templateBytes({ id, names }: Template): Buffer {
  const fields = names.map(name => {
    const { id, enterprise, type } = ELEMENTS[name]
    const length = type === 'string' ? VARIABLE : FIXED[type].bytes
    return enterprise === 0
      ? words(id, length)
      : words(id | ENTERPRISE_BIT, length, enterprise >>> 16, enterprise & 0xffff)
  })
  return Buffer.concat([words(id, names.length), ...fields])
}

const words = (...numbers: number[]): Buffer =>
  Buffer.from(numbers.flatMap(number => [number >> 8, number & 0xff]))

/** Writes records of one template. */
export type RecordEncoder = (read: (name: ElementName) => Value) => Buffer

export function encoderOf({ names }: Template): RecordEncoder {
  const fields = names.map(name => {
    const { type } = ELEMENTS[name]
    return { name, fixed: type === 'string' ? undefined : FIXED[type] }
  })
  return read => {
    const values = fields.map(({ name, fixed }): Value | Uint8Array => {
      const value = read(name)
      return fixed ? value : Buffer.from(String(value))
    })
    const lengthOf = (at: number) => {
      const value = values[at]
      return value instanceof Uint8Array
        ? value.length + (value.length < LONG ? 1 : 3)
        : fields[at]!.fixed!.bytes
    }
    const record = Buffer.allocUnsafe(values.reduce<number>((sum, _, at) => sum + lengthOf(at), 0))
    let at = 0
    for (const [index, value] of values.entries()) {
      if (value instanceof Uint8Array) writeText(record, value, at)
      else fields[index]!.fixed!.write(record, value, at)
      at += lengthOf(index)
    }
    return record
  }
}

function writeText(record: Buffer, text: Uint8Array, at: number): void {
  if (text.length < LONG) record.writeUInt8(text.length, at)
  else {
    record.writeUInt8(LONG, at)
    record.writeUInt16BE(text.length & 0xffff, at + 1)
  }
  record.set(text, at + (text.length < LONG ? 1 : 3))
}
