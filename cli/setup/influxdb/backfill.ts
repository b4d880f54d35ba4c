/** Computes minutes and hours again for a period: after an outage that was longer than `--late-by`. */

import { inWords } from '../duration.ts'
import { momentOf } from '../moment.ts'
import { isOn, type Wanted } from './wanted.ts'

/** What to know when windows are there and coarser series of them are not. */
export const NEW_SERIES =
  'coarser series are new: they begin with the last hours; --backfill computes them of the windows that are there'

export interface Period {
  /** Seconds since 1970; whole hours. */
  readonly from: number
  readonly to: number
}

const HOUR = 3600
/** Of one statement: what a server can answer within a minute or so. */
const PIECE = 24 * HOUR

/**
 * Whole hours around what was asked, as far as all windows are still there: an hour of which some have expired would be
 * computed wrong.
 * @throws with the remedy
 */
export function periodOf(given: string, until: string | undefined, wanted: Wanted): Period {
  const { now, keepRaw, resolutions } = wanted
  const [from, to] = [momentOf(given, now), until === undefined ? now : momentOf(until, now)]
  if (from >= to)
    throw new Error(`--backfill: ${given} is not before ${until ?? 'now'}: give an earlier time`)
  if (!resolutions.some(isOn))
    throw new Error('--backfill: --keep-minutes and --keep-hours are off: there is nothing to compute')
  const oldest = Math.min(keepRaw, ...resolutions.filter(isOn).map(({ keep }) => keep!))
  const first = Number.isFinite(oldest) ? Math.ceil((now - oldest) / HOUR) * HOUR : Number.NEGATIVE_INFINITY
  const last = Math.min(Math.ceil(to / HOUR) * HOUR, Math.floor(now / HOUR) * HOUR)
  const period = { from: Math.max(Math.floor(from / HOUR) * HOUR, first), to: last }
  if (period.from >= period.to)
    throw new Error(
      `--backfill: from ${given} to ${until ?? 'now'} there is no whole hour that is over and whose windows are still kept (--keep-raw ${inWords(keepRaw)}): give another time`,
    )
  return period
}

export const pieces = ({ from, to }: Period): Period[] =>
  Array.from({ length: Math.ceil((to - from) / PIECE) }, (_, at) => ({
    from: from + at * PIECE,
    to: Math.min(from + (at + 1) * PIECE, to),
  }))

export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')
