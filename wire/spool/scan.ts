/** Reads a segment from its beginning: the records that are whole, and what lies between them. */

import { readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { decodeHeader, HEADER_BYTES, type Header, SALT_BYTES } from './record.ts'

const CHUNK_BYTES = 2 ** 20

export interface Scanned {
  readonly offset: number
  readonly header: Header
  /** Its bytes; undefined when the checksum of the record is wrong, or its end is not there. */
  readonly head: Buffer | undefined
}

/** A part of a file, in a buffer that is used again: what it gives is valid until the next call. */
class Chunk {
  readonly #file: number
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  #start = 0
  #length = 0

  constructor(file: number) {
    this.#file = file
  }

  /** From there, at most so many bytes; fewer at the end of the file. */
  at(offset: number, most: number): Buffer {
    const wanted = Math.min(most, CHUNK_BYTES)
    if (offset < this.#start || offset + wanted > this.#start + this.#length) {
      this.#start = offset
      this.#length = readSync(this.#file, this.#buffer, 0, CHUNK_BYTES, offset)
    }
    const from = offset - this.#start
    return this.#buffer.subarray(from, Math.min(from + wanted, this.#length))
  }
}

/**
 * Headers that can be read, in order, and undefined now and then while none is found. A record whose header cannot be read is
 * passed over. It does not wait, as asynchronous reads take several times as long: who calls it pauses now and then.
 * @param file open for reading
 * @returns the first byte behind the last record that is whole, and whether there is anything behind it
 * @throws of the file system
 */
export function* scan(
  file: number,
  size: number,
  salt: Buffer,
): Generator<Scanned | undefined, { readonly end: number; readonly isTorn: boolean }> {
  const chunk = new Chunk(file)
  let at: number | undefined = 0
  let end = 0
  while (at !== undefined && at < size) {
    const header = decodeHeader(chunk.at(at, HEADER_BYTES), salt)
    const next: number = at + HEADER_BYTES + (header?.length ?? 0)
    if (!header) {
      at = yield* search(chunk, at + 1, size, salt)
      continue
    }
    const head = next <= size ? checked(chunk, at + HEADER_BYTES, header) : undefined
    yield { offset: at, header, head }
    if (head) end = next
    // without its end, or with a wrong length, another may begin within it
    at = head ? next : yield* search(chunk, at + 1, size, salt)
  }
  return { end, isTorn: end < size }
}

/** @returns the head, when the checksum of the body is right */
function checked(chunk: Chunk, offset: number, header: Header): Buffer | undefined {
  const { length, headBytes } = header
  if (headBytes > length) return undefined
  let crc = 0
  const heads: Buffer[] = []
  for (let at = 0; at < length; ) {
    const part = chunk.at(offset + at, length - at)
    if (part.length === 0) return undefined
    if (at < headBytes) heads.push(Buffer.from(part.subarray(0, headBytes - at)))
    crc = crc32(part, crc)
    at += part.length
  }
  return crc === header.crc ? Buffer.concat(heads) : undefined
}

/** @returns where the next header begins */
function* search(
  chunk: Chunk,
  from: number,
  size: number,
  salt: Buffer,
): Generator<undefined, number | undefined> {
  for (let at = from; at + HEADER_BYTES <= size; ) {
    const part = chunk.at(at, CHUNK_BYTES)
    const found = part.indexOf(salt)
    yield
    if (found < 0) {
      if (part.length < SALT_BYTES) return undefined
      at += part.length - SALT_BYTES + 1
    } else if (decodeHeader(chunk.at(at + found, HEADER_BYTES), salt)) return at + found
    else at += found + 1
  }
  return undefined
}
