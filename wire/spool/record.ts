/**
 * A record on disk, in the byte order of x86 and ARM:
 *
 *     salt 8 · length 4 · crc 4 · records 4 · windows 4 · rows 4 · released 4 · windows before 8 · rows before 8 · time 8 ·
 *     length of head 4 · frames 4 · crc of all this 4 · head · length of each frame 4 · frames
 *
 * The salt is in the name of the file: nobody who can choose what is in a record can make it look like the beginning of
 * another. What was before it in its run says how much is missing when records before it cannot be read.
 */

import { crc32 } from 'node:zlib'
import type { Item } from './types.ts'

export const SALT_BYTES = 8
export const HEADER_BYTES = 68
const CRC_AT = HEADER_BYTES - 4
const MAX_HEAD_BYTES = 65_536
const MAX_FRAMES = 65_535

/** What was appended in a run before a record. */
export interface Before {
  readonly records: number
  readonly windows: number
  readonly rows: number
}

export interface Header {
  /** Bytes behind the header. */
  readonly length: number
  /** Of these bytes. */
  readonly crc: number
  readonly windows: number
  readonly rows: number
  readonly before: Before
  /** Records before this one of the run were released when it was written. */
  readonly released: number
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly headBytes: number
  readonly frames: number
}

/**
 * @returns what is written, and its bytes
 * @throws {RangeError}
 */
export function encodeRecord(
  salt: Buffer,
  { head, frames, windows, rows }: Item,
  { before, released, time }: Pick<Header, 'before' | 'released' | 'time'>,
): { buffers: Buffer[]; bytes: number } {
  const text = Buffer.from(JSON.stringify(head))
  if (text.length > MAX_HEAD_BYTES || frames.length > MAX_FRAMES)
    throw new RangeError(`a record with a head of ${text.length} bytes and ${frames.length} frames`)
  const lengths = Buffer.alloc(4 * frames.length)
  for (const [index, frame] of frames.entries()) lengths.writeUInt32LE(frame.length, 4 * index)
  const body = [text, lengths, ...frames]
  const header = Buffer.alloc(HEADER_BYTES)
  const length = body.reduce((sum, part) => sum + part.length, 0)
  salt.copy(header)
  let at = SALT_BYTES
  const crc = body.reduce((value, part) => crc32(part, value), 0)
  for (const number of [length, crc, before.records, windows, rows, released])
    at = header.writeUInt32LE(number, at)
  for (const number of [before.windows, before.rows, time]) at = header.writeDoubleLE(number, at)
  for (const number of [text.length, frames.length]) at = header.writeUInt32LE(number, at)
  header.writeUInt32LE(crc32(header.subarray(0, CRC_AT)), CRC_AT)
  return { buffers: [header, ...body], bytes: HEADER_BYTES + length }
}

/** @returns undefined when it is none */
export function decodeHeader(bytes: Buffer, salt: Buffer): Header | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, SALT_BYTES).equals(salt)) return undefined
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32LE(CRC_AT)) return undefined
  const word = (index: number) => bytes.readUInt32LE(SALT_BYTES + 4 * index)
  const double = (index: number) => bytes.readDoubleLE(SALT_BYTES + 24 + 8 * index)
  return {
    ...{ length: word(0), crc: word(1), windows: word(3), rows: word(4), released: word(5) },
    before: { records: word(2), windows: double(0), rows: double(1) },
    ...{ time: double(2), headBytes: word(12), frames: word(13) },
  }
}

/**
 * @param body whose checksum is right
 * @throws {Error} when it is not as `encodeRecord` made it
 */
export function decodeBody({ headBytes, frames }: Header, body: Buffer): { head: unknown; frames: Buffer[] } {
  const head = decodeHead(body.subarray(0, headBytes))
  let at = headBytes + 4 * frames
  const found = Array.from({ length: frames }, (_, index) => {
    const start = at
    at += body.readUInt32LE(headBytes + 4 * index)
    return body.subarray(start, at)
  })
  return { head, frames: found }
}

export const decodeHead = (bytes: Buffer): unknown => JSON.parse(bytes.toString())
