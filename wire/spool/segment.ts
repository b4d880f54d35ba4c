/** One file of records. */

import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Before, decodeBody, decodeHeader, HEADER_BYTES, SALT_BYTES } from './record.ts'
import type { SpoolRecord } from './types.ts'

/** Where a record is, and what is lost with it. */
export interface Entry {
  readonly offset: number
  readonly bytes: number
  readonly windows: number
  readonly rows: number
  readonly before: Before
  readonly time: number
}

const NAME = /^(\d{8})-([0-9a-f]{16})\.seg$/

export class Segment {
  readonly path: string
  readonly number: number
  readonly salt: Buffer
  /** Bytes of the file. */
  size = 0
  /** When its newest record was appended. */
  newest = Number.NEGATIVE_INFINITY
  /** Serial of its first record; the others follow. */
  first = 0
  /** Those that wait. */
  waiting = 0
  readonly #entries: (Entry | undefined)[] = []
  /** Before it none waits. */
  #next = 0

  private constructor(run: string, number: number, salt: string) {
    this.path = join(run, `${String(number).padStart(8, '0')}-${salt}.seg`)
    this.number = number
    this.salt = Buffer.from(salt, 'hex')
  }

  static create(run: string, number: number): Segment {
    return new Segment(run, number, randomBytes(SALT_BYTES).toString('hex'))
  }

  /** @returns undefined for another file */
  static named(run: string, name: string): Segment | undefined {
    const [, number, salt] = NAME.exec(name) ?? []
    return salt === undefined ? undefined : new Segment(run, Number(number), salt)
  }

  /** Serial of the next record. */
  get end(): number {
    return this.first + this.#entries.length
  }

  /** The first that waits. */
  get oldest(): Entry | undefined {
    return this.#entries[this.#next]
  }

  get(serial: number): Entry | undefined {
    return this.#entries[serial - this.first]
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.waiting++
    this.newest = Math.max(this.newest, entry.time)
  }

  /** @returns what it was; undefined when it did not wait */
  remove(serial: number): Entry | undefined {
    const index = serial - this.first
    const entry = this.#entries[index]
    if (!entry) return undefined
    this.#entries[index] = undefined
    this.waiting--
    while (this.#next < this.#entries.length && !this.#entries[this.#next]) this.#next++
    return entry
  }

  /** Those that wait. */
  get serials(): number[] {
    return this.#entries.flatMap((entry, index) => (entry ? [this.first + index] : []))
  }

  /** The serial of the first that waits, from this one on. */
  from(serial: number): number | undefined {
    let index = Math.max(serial - this.first, this.#next)
    while (index < this.#entries.length && !this.#entries[index]) index++
    return index < this.#entries.length ? this.first + index : undefined
  }

  /** @returns undefined when it is damaged */
  async read(handle: FileHandle, serial: number): Promise<SpoolRecord | undefined> {
    const entry = this.get(serial)
    if (!entry) return undefined
    const { offset, bytes, windows, rows } = entry
    const buffer = Buffer.allocUnsafe(bytes)
    const { bytesRead } = await handle.read(buffer, 0, bytes, offset)
    if (bytesRead < bytes) return undefined
    const header = decodeHeader(buffer, this.salt)
    const body = buffer.subarray(HEADER_BYTES)
    if (header?.length !== body.length || crc32(body) !== header.crc) return undefined
    return { serial, time: header.time, bytes, windows, rows, ...decodeBody(header, body) }
  }
}
