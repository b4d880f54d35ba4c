import type { Batch, Measurement, Tags } from '../../batch.ts'
import { measurementName, tagText } from './names.ts'

/**
 * InfluxDB line protocol: `measurement,tag=value field=1.5 1767225600`, with timestamps in seconds.
 * Source: docs.influxdata.com, "Line protocol reference"; 1.x, 2.x and 3.x read the same text.
 */

/** Text as bytes of UTF-8, one character per byte. */
type Bytes = string

interface EncodedNames {
  readonly measurement: Bytes
  /** `as_client=` */
  readonly fields: readonly Bytes[]
  /** Most bytes of a line besides its tags. */
  readonly room: number
}

/**
 * Cached text of the tags, which all samples of one container share. It is stored on the object itself: with a large
 * WeakMap the garbage collector took twice the time.
 */
const TEXT = Symbol('line protocol')
type CachedTags = Tags & { readonly [TEXT]?: Bytes }
// all samples of one metric share their Measurement
const namesCache = new WeakMap<Measurement, EncodedNames>()

/** `-1.2345678901234567e-300`, and the field's name before it. */
const NUMBER_ROOM = 25
const TIME_ROOM = 25
const FIRST_ROOM = 65_536
const NEWLINE = 10
const SPACE = 32
const COMMA = 44
const POINT = 46
const ZERO = 48

/**
 * A buffer of lines; the first ones can be removed. Lines are written byte by byte into memory that is reused: as strings
 * they took twice the time, and as much again for the garbage collector.
 */
export class Lines {
  #bytes = Buffer.allocUnsafe(FIRST_ROOM)
  #end = 0
  /** Where each line ends. */
  readonly #ends: number[] = []
  #taken = 0

  get count(): number {
    return this.#ends.length - this.#taken
  }

  get taken(): number {
    return this.#taken
  }

  clear(): void {
    this.#ends.length = 0
    this.#taken = 0
    this.#end = 0
  }

  /** The first lines, or `count` from line `from` on (negative: lines already removed). The next write overwrites them. */
  bytes(count: number, from = 0): Buffer {
    const first = this.#taken + from
    return this.#bytes.subarray(this.#startOf(first), this.#startOf(first + count) - 1)
  }

  take(count: number): void {
    this.#taken += count
  }

  /**
   * Writes a line, unless none of its values is a number.
   * @param first index of its first value
   * @param time with the space before it
   */
  add(
    { measurement, fields, room }: EncodedNames,
    tags: Bytes,
    values: readonly number[],
    first: number,
    time: Bytes,
  ): void {
    this.#reserve(room + tags.length)
    const bytes = this.#bytes
    let end = put(bytes, put(bytes, this.#end, measurement), tags)
    let before = SPACE
    for (let at = 0; at < fields.length; at++) {
      const value = values[first + at]!
      if (!Number.isFinite(value)) continue
      bytes[end] = before
      before = COMMA
      end = putNumber(bytes, put(bytes, end + 1, fields[at]!), value)
    }
    if (before === SPACE) return
    end = put(bytes, end, time)
    bytes[end++] = NEWLINE
    this.#end = end
    this.#ends.push(end)
  }

  #startOf(line: number): number {
    return line === 0 ? 0 : this.#ends[line - 1]!
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#end + bytes))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

function put(bytes: Buffer, end: number, text: Bytes): number {
  for (let at = 0; at < text.length; at++) bytes[end + at] = text.charCodeAt(at)
  return end + text.length
}

/** As JavaScript formats it. Small whole numbers, and microseconds in ms, are most values and take a third of the time this way. */
function putNumber(bytes: Buffer, end: number, value: number): number {
  if (value >= 0 && (value | 0) === value) return putWhole(bytes, end, value | 0)
  const thousandths = Math.round(value * 1000)
  // ten digits: no shorter text is the same number
  if (value > 0 && (thousandths | 0) === thousandths && thousandths / 1000 === value)
    return putThousandths(bytes, end, thousandths)
  return put(bytes, end, String(value))
}

function putWhole(bytes: Buffer, start: number, value: number): number {
  let end = start + 1
  for (let most = 10; value >= most; most *= 10) end++
  for (let at = end, left = value; at > start; left = (left / 10) | 0) bytes[--at] = ZERO + (left % 10)
  return end
}

/** Without trailing zeros. @param value no multiple of 1000 */
function putThousandths(bytes: Buffer, start: number, value: number): number {
  let end = putWhole(bytes, start, (value / 1000) | 0)
  bytes[end++] = POINT
  for (let rest = value % 1000, unit = 100; rest > 0; rest %= unit, unit /= 10)
    bytes[end++] = ZERO + ((rest / unit) | 0)
  return end
}

/**
 * Encodes each sample as a line: `as_client=3,as_server=0` without a suffix, so that every field is a float, as in the
 * databases that ntopng wrote.
 * @param lines buffer that is overwritten
 * @yields after every `most` lines, and at the end
 */
export function* encodeLines(batches: readonly Batch[], most: number, lines = new Lines()): Generator<Lines> {
  lines.clear()
  for (const { samples, time: seconds } of batches) {
    const time = ` ${seconds}`
    for (const { measurement, tags, values } of samples) {
      const names = namesOf(measurement)
      for (let at = 0; at < tags.length; at++) {
        lines.add(names, tagsOf(tags[at]!), values, at * names.fields.length, time)
        if (lines.count < most) continue
        yield lines
        lines.clear()
      }
    }
  }
  if (lines.count > 0) yield lines
}

function namesOf(measurement: Measurement): EncodedNames {
  let names = namesCache.get(measurement)
  if (!names) {
    const name = bytesOf(measurementName(measurement.name))
    const fields = measurement.fields.map(field => `${bytesOf(tagText(field))}=`)
    const room = fields.reduce((sum, { length }) => sum + length + NUMBER_ROOM, name.length + TIME_ROOM)
    names = { measurement: name, fields, room }
    namesCache.set(measurement, names)
  }
  return names
}

/**
 * `,container=0123,host=a`, sorted as the servers sort. An empty tag means no tag, and some servers refuse it. If two names
 * have the same escaped form, the last one is kept: a server refuses a line with both.
 */
function tagsOf(tags: CachedTags): Bytes {
  let text = tags[TEXT]
  if (text === undefined) {
    text = ''
    const names = Object.keys(tags).sort()
    const written = names.map(tagText)
    const isClean = written.every((name, at) => name === names[at])
    for (const at of isClean ? names.keys() : inOrder(written)) {
      const value = tags[names[at]!]
      if (value && written[at]) text += `,${written[at]}=${tagText(value)}`
    }
    text = bytesOf(text)
    Object.defineProperty(tags, TEXT, { value: text }) // not enumerable: tags are copied by spreading
  }
  return text
}

/** Indexes of the names, sorted by their escaped form, each once. */
const inOrder = (names: readonly string[]): number[] =>
  [...new Set(names)].sort().map(name => names.lastIndexOf(name))

const bytesOf = (text: string): Bytes => Buffer.from(text).toString('latin1')
