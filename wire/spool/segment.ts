/** One file of records. */

import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { decodeBody, decodeHeader, HEADER_BYTES, SALT_BYTES } from './record.ts'
import { type Entry, Table } from './table.ts'
import type { SpoolRecord } from './types.ts'

const NAME = /^(\d{8})-([0-9a-f]{16})\.seg$/

export class Segment {
  readonly path: string
  readonly number: number
  readonly salt: Buffer
  /** Bytes of the file. */
  size = 0
  /** When its newest record was appended, in milliseconds that only rise. */
  newest = Number.NEGATIVE_INFINITY
  /** Serial of its first record; the others follow. */
  first = 0
  /** Those that wait. */
  waiting = 0
  readonly #entries = new Table()
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
    return this.#entries.get(this.#next)
  }

  get(serial: number): Entry | undefined {
    return this.#entries.get(serial - this.first)
  }

  /** @param at when it was appended, as `newest` */
  add(entry: Entry, at: number): void {
    this.#entries.push(entry)
    this.waiting++
    this.newest = Math.max(this.newest, at)
  }

  /** @returns what it was; undefined when it did not wait */
  remove(serial: number): Entry | undefined {
    const index = serial - this.first
    const entry = this.#entries.get(index)
    if (!entry) return undefined
    this.#entries.remove(index)
    this.waiting--
    while (this.#next < this.#entries.length && !this.#entries.has(this.#next)) this.#next++
    return entry
  }

  /** Those that wait. */
  get serials(): number[] {
    const all: number[] = []
    for (let index = this.#next; index < this.#entries.length; index++)
      if (this.#entries.has(index)) all.push(this.first + index)
    return all
  }

  /** The serial of the first that waits, from this one on. */
  from(serial: number): number | undefined {
    let index = Math.max(serial - this.first, this.#next)
    while (index < this.#entries.length && !this.#entries.has(index)) index++
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
