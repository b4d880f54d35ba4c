/**
 * The window of a closed flow. The kernel's pass at a window's end reports the open flows; a flow that closed, or that
 * another container took over, sends a record with the time, and with the pass that reported it last. With both, every
 * flow is exactly once in each window in which it lived.
 */

import { kindOf } from '../../wire/count/kinds.ts'
import { type Layout, viewOf } from '../../wire/layout.ts'
import { FLOW_FAILED, FLOW_MEASURED } from '../../wire/records.ts'

/** A 64-bit unsigned number at `at`, compared without BigInt: high words first. */
const isBelow = (rows: DataView, at: number, high: number, low: number): boolean => {
  const word = rows.getUint32(at + 4, true)
  return word === high ? rows.getUint32(at, true) < low : word < high
}

export class Router {
  readonly #size: number
  readonly #opened: number
  readonly #closed: number
  readonly #reported: number
  /** Only TCP has it. */
  readonly #established: number | undefined
  readonly #flags: number | undefined
  readonly #tellsClose: boolean
  /** Fields that add up: deltas since the last report, and levels at a window's end. */
  readonly #sums: readonly { offset: number; size: number }[]

  /** @param tellsClose whether a close has a row of its own, without traffic */
  constructor(layout: Layout, tellsClose: boolean) {
    const field = (name: string) => {
      const found = layout.fields.find(field => field.name === name)
      if (!found) throw new Error(`${layout.name} has no field ${name}`)
      return found
    }
    this.#size = layout.size
    this.#opened = field('opened_ns').offset
    this.#closed = field('closed_ns').offset
    this.#reported = field('reported_ns').offset
    this.#established = layout.fields.find(({ name }) => name === 'established_ns')?.offset
    this.#flags = layout.fields.find(({ name }) => name === 'flags')?.offset
    this.#tellsClose = tellsClose
    this.#sums = layout.fields.filter(field => kindOf(field) !== undefined)
  }

  /**
   * Close records that were read after the pass of the window that ended at `endNs`, split into the rows of that window
   * and those of the next.
   *
   * A flow that was open at the end, but closed before the pass reached it, has a row in each: its counts are in the
   * window that ended, its close is in the next.
   */
  split(records: Buffer, endNs: bigint): { ended: Buffer[]; next: Buffer[] } {
    const ended: Buffer[] = []
    const next: Buffer[] = []
    const view = viewOf(records)
    const high = Number(endNs >> 32n)
    const low = Number(endNs & 0xffffffffn)
    for (let at = 0; at < records.length; at += this.#size) {
      const row = records.subarray(at, at + this.#size)
      const closedBefore = isBelow(view, at + this.#closed, high, low)
      const counted = !isBelow(view, at + this.#reported, high, low)
      const openedBefore = isBelow(view, at + this.#opened, high, low)
      if (counted || !openedBefore) next.push(row)
      else if (closedBefore) ended.push(row)
      else {
        ended.push(this.#stillOpen(row, view, at, high, low))
        if (this.#tellsClose) next.push(this.#onlyClosed(row, endNs))
      }
    }
    return { ended, next }
  }

  #stillOpen(row: Buffer, view: DataView, at: number, high: number, low: number): Buffer {
    const open = Buffer.from(row)
    open.fill(0, this.#closed, this.#closed + 8)
    const established = this.#established
    if (established !== undefined && !isBelow(view, at + established, high, low))
      open.fill(0, established, established + 8)
    return this.#without(open, FLOW_FAILED)
  }

  #onlyClosed(row: Buffer, endNs: bigint): Buffer {
    const closed = Buffer.from(row)
    closed.writeBigUInt64LE(endNs, this.#reported)
    for (const { offset, size } of this.#sums) closed.fill(0, offset, offset + size)
    return this.#without(closed, FLOW_MEASURED)
  }

  /** The flag belongs to one of the two rows; in both it would count twice. */
  #without(row: Buffer, flag: number): Buffer {
    if (this.#flags !== undefined) row[this.#flags]! &= ~flag
    return row
  }
}
