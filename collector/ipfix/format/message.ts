/** Messages: a header and sets. RFC 7011, 3.1 to 3.3. */

import { templateBytes } from './encode.ts'
import type { Template } from './templates.ts'

const VERSION = 10
export const HEADER_BYTES = 16
export const SET_BYTES = 4
/** Set id of templates; a set of records has the id of their template. */
const TEMPLATES = 2
/** A length has sixteen bits. */
export const MAX_MESSAGE = 65_535

export interface Head {
  /** Seconds since the epoch. */
  readonly time: number
  /** Records sent before, modulo 2^32; templates do not count. */
  readonly sequence: number
  readonly domain: number
}

export const templateMessage = (head: Head, template: Template): Buffer =>
  message(head, TEMPLATES, [templateBytes(template)])

/** @param records of this template, as many as fit */
export const dataMessage = (head: Head, { id }: Template, records: readonly Buffer[]): Buffer =>
  message(head, id, records)

function message({ time, sequence, domain }: Head, setId: number, records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES + SET_BYTES)
  const length = records.reduce((sum, { length }) => sum + length, header.length)
  header.writeUInt16BE(VERSION, 0)
  header.writeUInt16BE(length, 2)
  header.writeUInt32BE(time >>> 0, 4)
  header.writeUInt32BE(sequence >>> 0, 8)
  header.writeUInt32BE(domain >>> 0, 12)
  header.writeUInt16BE(setId, 16)
  header.writeUInt16BE(length - HEADER_BYTES, 18)
  return Buffer.concat([header, ...records], length)
}

/** Observation domain of a node: FNV-1 of its name, 32 bits (not FNV-1a). */
export function domainOf(node: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(node)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0
  return hash
}
