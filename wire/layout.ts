/**
 * The layout of a record in memory. The probe reads its layouts from the loaded object's BTF and sends them along, so that a
 * collector reads any version of a record by field name. What comes from the network is data to distrust: every offset is
 * checked once, here, and readers are closures over checked offsets.
 */

export interface Field {
  readonly name: string
  /** Bytes from the start of the record. */
  readonly offset: number
  /** Bytes of the whole field. */
  readonly size: number
  /** `bytes` is an array of bytes or characters. */
  readonly type: 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64' | 'bytes'
  /** The typedef's name: what the number is, for example `usec_t`. */
  readonly typedef?: string
}

export interface Layout {
  readonly name: string
  /** Bytes from one record to the next. */
  readonly size: number
  readonly fields: readonly Field[]
}

/** Records of one kind, back to back. */
export interface Rows {
  readonly layout: Layout
  readonly bytes: Buffer
}

/** Reads one number from the record that starts at `at`. 64-bit values above 2^53 lose their lowest bits. */
export type Reader = (rows: DataView, at: number) => number

export class LayoutError extends Error {
  override name = 'LayoutError'
}

const SIZES: Readonly<Record<string, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
}
const MAX_SIZE = 65536
const MAX_FIELDS = 256
const MAX_NAME = 64
/** No text of a record is longer than a cgroup's name; one that claims to be is cut. */
const MAX_TEXT = 256

const isCount = (value: unknown, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max

const isName = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_NAME

function checkField(value: unknown, size: number): Field {
  const { name, offset, size: bytes, type, typedef } = (value ?? {}) as Record<string, unknown>
  if (!isName(name)) throw new LayoutError('a field without a name')
  if (!isCount(offset, size) || !isCount(bytes, size) || bytes === 0 || offset + bytes > size)
    throw new LayoutError(`field ${name} lies outside the record`)
  if (type !== 'bytes' && (typeof type !== 'string' || SIZES[type] !== bytes))
    throw new LayoutError(`field ${name} has no type of ${bytes} bytes`)
  const field = { name, offset, size: bytes, type: type as Field['type'] }
  return isName(typedef) ? { ...field, typedef } : field
}

/** @throws {LayoutError} what is wrong with a layout that came from the network */
export function checkLayout(value: unknown): Layout {
  const { name, size, fields } = (value ?? {}) as Record<string, unknown>
  if (!isName(name)) throw new LayoutError('a layout without a name')
  if (!isCount(size, MAX_SIZE) || size === 0)
    throw new LayoutError(`${name}: the size is no number from 1 to ${MAX_SIZE}`)
  if (!Array.isArray(fields) || fields.length > MAX_FIELDS)
    throw new LayoutError(`${name}: the fields are no list of at most ${MAX_FIELDS}`)
  return { name, size, fields: fields.map(field => checkField(field, size)) }
}

function fieldOf(layout: Layout, name: string): Field {
  const field = layout.fields.find(field => field.name === name)
  if (!field) throw new LayoutError(`${layout.name} has no field ${name}`)
  return field
}

const READERS: Readonly<Record<string, (offset: number) => Reader>> = {
  u8: o => (rows, at) => rows.getUint8(at + o),
  u16: o => (rows, at) => rows.getUint16(at + o, true),
  u32: o => (rows, at) => rows.getUint32(at + o, true),
  u64: o => (rows, at) => rows.getUint32(at + o + 4, true) * 4294967296 + rows.getUint32(at + o, true),
  i8: o => (rows, at) => rows.getInt8(at + o),
  i16: o => (rows, at) => rows.getInt16(at + o, true),
  i32: o => (rows, at) => rows.getInt32(at + o, true),
  i64: o => (rows, at) => rows.getInt32(at + o + 4, true) * 4294967296 + rows.getUint32(at + o, true),
}

/** @throws {LayoutError} when the layout has no such number */
export function numberOf(layout: Layout, name: string): Reader {
  const field = fieldOf(layout, name)
  const reader = READERS[field.type]
  if (!reader) throw new LayoutError(`${layout.name}.${name} is not a number`)
  return reader(field.offset)
}

/** Reads a NUL-terminated text. @throws {LayoutError} when the layout has no such bytes */
export function textOf(layout: Layout, name: string): (rows: Buffer, at: number) => string {
  const { offset, size: bytes, type } = fieldOf(layout, name)
  if (type !== 'bytes') throw new LayoutError(`${layout.name}.${name} is not a text`)
  const size = Math.min(bytes, MAX_TEXT)
  return (rows, at) => {
    const from = at + offset
    const nul = rows.indexOf(0, from)
    return rows.toString('utf8', from, nul < 0 || nul > from + size ? from + size : nul)
  }
}

/** A view for the readers over the bytes of `rows`. */
export const viewOf = (rows: Uint8Array): DataView =>
  new DataView(rows.buffer, rows.byteOffset, rows.byteLength)
