/** Records that TypeScript lays out, because no C program fills them: columns in, layout and rows out. */

import type { Field, Layout } from './layout.ts'

/** Names of numbers with their type, and of texts with their length in bytes. */
export type Columns = Readonly<Record<string, 'u8' | 'u16' | 'u32' | 'u64' | number>>

/** A row with these columns. */
export type RowOf<C extends Columns> = { readonly [K in keyof C]: C[K] extends number ? string : number }

const SIZES = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

/** The columns one after the other, without holes. */
export function layoutOf(name: string, columns: Columns): Layout {
  let offset = 0
  const fields = Object.entries(columns).map(([name, type]): Field => {
    const size = typeof type === 'number' ? type : SIZES[type]
    const field = { name, offset, size, type: typeof type === 'number' ? 'bytes' : type } as const
    offset += size
    return field
  })
  return { name, size: offset, fields }
}

/** A value that a number of `size` bytes cannot hold becomes the nearest one that it can. */
export function putNumber(view: DataView, at: number, size: number, value: number | bigint): void {
  if (typeof value === 'bigint' && size === 8 && value < 2n ** 64n) {
    view.setBigUint64(at, value, true)
    return
  }
  const most = size === 8 ? 2 ** 64 - 2048 : 256 ** size - 1 // the largest double below 2^64
  const kept = Math.min(Math.max(Math.trunc(Number(value)) || 0, 0), most)
  if (size === 1) view.setUint8(at, kept)
  else if (size === 2) view.setUint16(at, kept, true)
  else view.setUint32(at, kept % 2 ** 32, true)
  if (size === 8) view.setUint32(at + 4, Math.floor(kept / 2 ** 32), true)
}

/** A row to be laid out: its numbers of 64 bits may be whole; what is left out is 0. */
export type Given<C extends Columns> = {
  readonly [K in keyof C]?: RowOf<C>[K] | (C[K] extends 'u64' ? bigint : never)
}

/** Texts are cut where they are too long, and end with a NUL where there is room. */
export function encodeRows<C extends Columns>(layout: Layout, rows: readonly Given<C>[]): Buffer {
  const buffer = Buffer.alloc(rows.length * layout.size)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  for (const [index, row] of rows.entries())
    for (const { name, offset, size } of layout.fields) {
      const [at, value] = [index * layout.size + offset, row[name]]
      if (typeof value === 'string') buffer.write(value, at, size)
      else if (value !== undefined) putNumber(view, at, size, value)
    }
  return buffer
}
