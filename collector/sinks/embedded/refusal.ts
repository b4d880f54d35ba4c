import type { Batch } from '../../batch.ts'
import { Refused } from '../sink.ts'
import { firstLine } from './damage.ts'
import { type Bounds, dayOf, oldestDay } from './retention.ts'

/** Seconds; later dates do not fit the files' names. */
const YEAR_10000 = 253_402_300_800
/** Seconds: a clock set to local time instead of UTC is ahead by less. */
const MAX_AHEAD = 86_400

/**
 * Why a window is not stored, independent of its samples.
 * @param count its number of samples
 * @param now in seconds
 * @param bytes size of the store
 */
export function refusalOf(
  { time, id }: Batch,
  count: number,
  now: number,
  bytes: number,
  bounds: Bounds & { readonly directory: string },
): Refused | undefined {
  const { maxAgeDays, maxBytes, directory } = bounds
  if (!(Number.isInteger(time) && time >= 0 && time < YEAR_10000))
    return new Refused('bad_time', count, `a window ends at ${time}, which is not a time in seconds`)
  const day = dayOf(time)
  if (time > now + MAX_AHEAD)
    return new Refused(
      'future',
      count,
      `a window of ${day} is more than a day ahead: set the clock of ${id.host}, or of this host`,
    )
  if (day < oldestDay(dayOf(now), bounds))
    return new Refused(
      'expired',
      count,
      `a window of ${day} is older than the ${maxAgeDays} days that are kept`,
    )
  if (bytes > maxBytes)
    return new Refused(
      'full',
      count,
      `today's files in ${directory} are above ${maxBytes} bytes: raise --store-size`,
    )
  return undefined
}

/** A full disk may have room again; an error about the samples is permanent. */
export function failureOf(error: Error, samples: number, directory: string): Error {
  if (/^(IO|TransactionContext|INTERRUPT|Permission) Error/.test(error.message))
    return cannotWrite(directory, error)
  return new Refused(
    'bad_samples',
    samples,
    `the embedded store cannot hold these samples: ${firstLine(error)}`,
  )
}

export const cannotWrite = (directory: string, error: Error): Error =>
  new Error(`cannot write to ${directory}: ${firstLine(error)}`)
