/**
 * The offsets of a record's columns, checked once per layout, so that the loop over its rows reads plain offsets. A probe
 * of another version may have narrower or wider numbers, or lack some: its rows are copied into the layout of the loop. With 200 containers, closures per field took 63 ns a row of tcp_flow for a third of what is counted now, and
 * offsets take 50 ns for all of it.
 */

import { type Columns, layoutOf, putNumber } from '../columns.ts'
import { type Field, type Layout, LayoutError, numberOf, viewOf } from '../layout.ts'

export interface Table<C extends Columns> {
  /** Bytes from one row to the next, as it comes in. */
  readonly incoming: number
  /** The same in the result of `rows`. */
  readonly size: number
  /** Bytes from the start of a row. */
  readonly at: { readonly [K in keyof C]: number }
  readonly rows: (incoming: Buffer) => Buffer
}

/**
 * @param required columns without which a row has no owner; any other may be missing and reads as 0
 * @throws {LayoutError} when one is missing, or is of another kind
 */
export function tableOf<C extends Columns>(
  layout: Layout,
  columns: C,
  required: readonly (keyof C & string)[],
): Table<C> {
  const known = layoutOf(layout.name, columns)
  // of fields with one name the first is read, as by numberOf
  const given = new Map(layout.fields.toReversed().map(field => [field.name, field]))
  for (const name of required)
    if (!given.has(name)) throw new LayoutError(`${layout.name} has no field ${name}`)
  const same = known.fields.every(({ name, type, size }) => {
    const field = given.get(name)
    return field?.type === type && field.size === size
  })
  const at = Object.fromEntries(
    known.fields.map(({ name, offset }) => [name, same ? given.get(name)!.offset : offset]),
  ) as Table<C>['at']
  if (same) return { incoming: layout.size, size: layout.size, at, rows: incoming => incoming }
  return { incoming: layout.size, size: known.size, at, rows: copier(layout, known, given) }
}

function copier(layout: Layout, known: Layout, given: ReadonlyMap<string, Field>): (rows: Buffer) => Buffer {
  const copies = known.fields.flatMap(({ name, offset, size, type }) => {
    const field = given.get(name)
    if (!field) return []
    if ((field.type === 'bytes') !== (type === 'bytes'))
      throw new LayoutError(`${layout.name}.${name} is of another kind`)
    const text = type === 'bytes' && Math.min(size, field.size)
    return [{ offset, size, text, from: field.offset, read: text ? undefined : numberOf(layout, name) }]
  })
  return incoming => {
    const count = incoming.length / layout.size
    const rows = Buffer.alloc(count * known.size)
    const [from, to] = [viewOf(incoming), viewOf(rows)]
    for (let row = 0; row < count; row++)
      for (const { offset, size, text, from: source, read } of copies) {
        const [start, end] = [row * layout.size, row * known.size + offset]
        if (read) putNumber(to, end, size, read(from, start))
        else incoming.copy(rows, end, start + source, start + source + (text || 0))
      }
    return rows
  }
}

/** 64 bits; above 2^53 the lowest bits are lost. */
export const u64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true)

/** Whether 64 bits are all 0, without conversion to a number. */
export const isZero = (view: DataView, at: number): boolean =>
  (view.getInt32(at, true) | view.getInt32(at + 4, true)) === 0
