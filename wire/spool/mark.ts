/**
 * How much of a run is released, in a file of its own: written without waiting for the disk, so that a kill loses
 * nothing. What a power cut takes of it is in the records that were written later.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { openForeign } from '../process/foreign.ts'
import type { Before } from './record.ts'

export const MARK = 'released'
const SLOT_BYTES = 32
const CRC_AT = SLOT_BYTES - 4
export const NOTHING: Before = { records: 0, windows: 0, rows: 0 }

function encode({ records, windows, rows }: Before): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES)
  for (const [index, number] of [records, windows, rows].entries()) slot.writeDoubleLE(number, 8 * index)
  slot.writeUInt32LE(crc32(slot.subarray(0, CRC_AT)), CRC_AT)
  return slot
}

function decode(slot: Buffer): Before {
  if (slot.length < SLOT_BYTES || crc32(slot.subarray(0, CRC_AT)) !== slot.readUInt32LE(CRC_AT))
    return NOTHING
  return { records: slot.readDoubleLE(0), windows: slot.readDoubleLE(8), rows: slot.readDoubleLE(16) }
}

/** @returns nothing for a file that is not there or cannot be read */
export async function readMark(run: string): Promise<Before> {
  const handle = await openForeign(join(run, MARK)).catch(() => undefined)
  if (!handle) return NOTHING
  try {
    const slots = Buffer.alloc(2 * SLOT_BYTES)
    await handle.read(slots)
    const [first, second] = [decode(slots.subarray(0, SLOT_BYTES)), decode(slots.subarray(SLOT_BYTES))]
    return first.records > second.records ? first : second
  } catch {
    return NOTHING
  } finally {
    await handle.close()
  }
}

export class Mark {
  readonly #run: string
  #handle: FileHandle | undefined
  #wanted: Before = NOTHING
  #written = 0
  /** A write that is torn leaves the other slot as it is. */
  #slot = 0
  #working: Promise<void> | undefined

  constructor(run: string) {
    this.#run = run
  }

  /** What is in the file already. */
  set written({ records }: Before) {
    this.#written = records
  }

  /** All before this are released. */
  set(before: Before): void {
    this.#wanted = before
    this.#working ??= this.#work()
  }

  /** Resolves when it is on disk. */
  async flush(): Promise<void> {
    await this.#working
    await this.#handle?.datasync().catch(() => {})
  }

  async close(): Promise<void> {
    await this.#working
    await this.#handle?.close().catch(() => {})
    this.#handle = undefined
  }

  async #work(): Promise<void> {
    try {
      this.#handle ??= await open(join(this.#run, MARK), 'r+').catch(() =>
        open(join(this.#run, MARK), 'w+', 0o600),
      )
      while (this.#written !== this.#wanted.records) {
        const wanted = this.#wanted
        await this.#handle.write(encode(wanted), 0, SLOT_BYTES, SLOT_BYTES * this.#slot)
        this.#slot = 1 - this.#slot
        this.#written = wanted.records
      }
    } catch {
      // without it, released records are sent again after a restart: the receiver knows them by their names
    }
    this.#working = undefined
  }
}
