/** A moment as people write it: a day, a time in UTC, or how long ago. */

import { text } from '../../wire/settings/types.ts'
import { secondsOf } from './duration.ts'

const ABSOLUTE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/

/** @returns seconds since 1970, NaN if it is no moment */
export function momentOf(given: string, now: number): number {
  if (ABSOLUTE.test(given)) return Date.parse(given) / 1000
  const ago = secondsOf(given)
  return Number.isFinite(ago) ? now - ago : Number.NaN
}

export const moment = () =>
  text().refine(given => Number.isFinite(momentOf(given, 0)), {
    error: 'needs a time such as 3d (ago), 2026-01-31 or 2026-01-31T08:00:00Z',
  })
