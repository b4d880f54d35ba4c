/**
 * A batch as bytes, to be kept on disk: `magic · version · bytes of the head · head · numbers · CRC-32`.
 *
 * The head is JSON: the window, each set of tags once, and of each measurement its name, its fields and which tags its
 * samples have. The numbers are doubles, so that what comes back is bit for bit what went: NaN (not measured) and
 * infinity are among them, which JSON does not have. All numbers are little-endian.
 */

import { crc32 } from 'node:zlib'
import {
  type Batch,
  type DistributionSample,
  type Measurement,
  Samples,
  type Tags,
  type WindowId,
} from './batch.ts'
import { STEPS } from './metrics/steps.ts'

/** Raised when an older program would read something else than what was written. */
export const BATCH_VERSION = 1

const MAGIC = Buffer.from('SFB')
const START = MAGIC.length + 1 + 4
const DOUBLE = 8
const CRC = 4
/** Of each distribution: its sum, and the values in each step and above them all. */
const STEP_NUMBERS = 1 + STEPS.length + 1

/** Bytes that are no batch, or one that this version cannot read. */
export class BatchError extends Error {
  override name = 'BatchError'
}

interface Part {
  readonly measurement: Measurement
  /** Which of the head's tags each sample has. */
  readonly tags: readonly number[]
}

interface Head {
  readonly id: WindowId
  readonly time: number
  readonly interval: number
  readonly tags: readonly Tags[]
  readonly samples: readonly Part[]
  readonly distributions: readonly Part[]
}

export function encodeBatch({ id, time, interval, samples, distributions }: Batch): Buffer {
  const places = new Map<Tags, number>()
  const placeOf = (tags: Tags): number => {
    const place = places.get(tags) ?? places.size
    places.set(tags, place)
    return place
  }
  const parts = samples.map(({ measurement, tags }) => ({ measurement, tags: tags.map(placeOf) }))
  const grouped = Map.groupBy(distributions, ({ measurement }) => measurement)
  const spread = [...grouped].map(([measurement, some]) => ({
    measurement,
    tags: some.map(({ tags }) => placeOf(tags)),
  }))
  const numbers = [
    ...samples.map(({ values }) => values),
    ...[...grouped.values()].flat().map(({ distribution: { counts, sum } }) => [sum, ...counts]),
  ]
  const head: Head = { id, time, interval, tags: [...places.keys()], samples: parts, distributions: spread }
  const json = Buffer.from(JSON.stringify(head))
  const count = numbers.reduce((sum, some) => sum + some.length, 0)
  const bytes = Buffer.alloc(START + json.length + count * DOUBLE + CRC)
  MAGIC.copy(bytes)
  bytes.writeUInt8(BATCH_VERSION, MAGIC.length)
  bytes.writeUInt32LE(json.length, MAGIC.length + 1)
  json.copy(bytes, START)
  let at = START + json.length
  for (const some of numbers) for (const number of some) at = bytes.writeDoubleLE(number, at)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at)
  return bytes
}

/** @throws {BatchError} in one sentence what is wrong */
export function decodeBatch(bytes: Buffer): Batch {
  const { head, numbers, left } = split(bytes)
  const measurements = new Map<string, Measurement>()
  const same = ({ name, fields }: Measurement): Measurement => {
    const key = JSON.stringify([name, fields])
    const known = measurements.get(key) ?? { name, fields }
    measurements.set(key, known)
    return known
  }
  const tagsOf = (place: number): Tags => {
    const tags = head.tags[place]
    if (tags === undefined) throw new BatchError(`the batch names tags ${place} of ${head.tags.length}`)
    return tags
  }
  const { id, time, interval } = head
  const samples = head.samples.map(({ measurement, tags }) => {
    const values = numbers(tags.length * measurement.fields.length)
    return new Samples(same(measurement), tags.map(tagsOf), values)
  })
  const distributions = head.distributions.flatMap(({ measurement, tags }) =>
    tags.map((place): DistributionSample => {
      const [sum = 0, ...counts] = numbers(STEP_NUMBERS)
      return { measurement: same(measurement), tags: tagsOf(place), distribution: { counts, sum } }
    }),
  )
  if (left() > 0) throw new BatchError('the batch has more numbers than its head says')
  return { id, time, interval, samples, distributions }
}

interface Contents {
  readonly head: Head
  /** The next ones. */
  readonly numbers: (count: number) => number[]
  /** Bytes that were not asked for. */
  readonly left: () => number
}

/** What is checked before anything is believed. */
function split(bytes: Buffer): Contents {
  if (bytes.length < START + CRC || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new BatchError('the bytes are no batch')
  const version = bytes.readUInt8(MAGIC.length)
  if (version !== BATCH_VERSION)
    throw new BatchError(`the batch is of version ${version}, this program reads version ${BATCH_VERSION}`)
  const end = bytes.length - CRC
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end))
    throw new BatchError('the batch is damaged: its checksum does not match')
  const length = bytes.readUInt32LE(MAGIC.length + 1)
  let at = START + length
  if (at > end) throw new BatchError(`the batch is damaged: its head has ${length} bytes`)
  const head = headOf(bytes.subarray(START, at))
  const numbers = (count: number): number[] => {
    const first = at
    at += count * DOUBLE
    if (at > end) throw new BatchError('the batch has fewer numbers than its head says')
    return Array.from({ length: count }, (_, index) => bytes.readDoubleLE(first + index * DOUBLE))
  }
  return { head, numbers, left: () => end - at }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isPart = (value: unknown): boolean => {
  if (!isRecord(value) || !isRecord(value['measurement']) || !Array.isArray(value['tags'])) return false
  const { name, fields } = value['measurement']
  return typeof name === 'string' && Array.isArray(fields) && fields.every(field => typeof field === 'string')
}
const isParts = (value: unknown): boolean => Array.isArray(value) && value.every(isPart)
const isTags = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every(tag => typeof tag === 'string')
const isId = (value: unknown): boolean =>
  isRecord(value) &&
  ['host', 'boot', 'probe'].every(name => typeof value[name] === 'string') &&
  Number.isSafeInteger(value['window']) &&
  [undefined, 'late', 'missing'].includes(value['part'] as undefined)

/** The checksum shows that nothing has changed, not that we have written it. */
function headOf(json: Buffer): Head {
  let head: unknown
  try {
    head = JSON.parse(json.toString())
  } catch {
    throw new BatchError('the head of the batch is not JSON')
  }
  if (
    isRecord(head) &&
    isId(head['id']) &&
    [head['time'], head['interval']].every(Number.isFinite) &&
    Array.isArray(head['tags']) &&
    head['tags'].every(isTags) &&
    [head['samples'], head['distributions']].every(isParts)
  )
    return head as unknown as Head
  throw new BatchError('the head of the batch is not one of this version')
}
