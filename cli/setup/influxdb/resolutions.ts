/** The coarser series: how coarse, how often they are computed, and of which time each run computes them again. */

import { kebab } from '../../../wire/settings/settings.ts'
import { secondsOf } from '../duration.ts'

/** Ours begin with it; what does not is never touched. */
export const PREFIX = 'sockflux_'

const ALL = [
  // each run computes two hours again, which costs more than the windows themselves, and minutes are for looking back
  { name: `${PREFIX}1m`, seconds: 60, every: 1800, setting: 'keepMinutes' },
  { name: `${PREFIX}1h`, seconds: 3600, every: 3600, setting: 'keepHours' },
] as const
type Keeps = Readonly<Record<(typeof ALL)[number]['setting'], string>>

export interface Resolution {
  /** Of the retention policy. */
  readonly name: string
  /** Of one point. */
  readonly seconds: number
  /** Between runs. */
  readonly every: number
  /** Of the time that each run computes again. */
  readonly again: number
  /** The flag of its retention. */
  readonly flag: string
  /** Retention; undefined if it is off. */
  readonly keep: number | undefined
}

/**
 * A window that is stored `late` after its end was on time for no run before the next one, `every` later, and belongs to a
 * point that began up to `seconds` before it: a run computes all three again.
 */
export const resolutionsOf = (keeps: Keeps, late: number): readonly Resolution[] =>
  ALL.map(({ setting, ...row }) => ({
    ...row,
    again: late + row.every + row.seconds,
    flag: `--${kebab(setting)}`,
    keep: keeps[setting] === 'off' ? undefined : secondsOf(keeps[setting]),
  }))
