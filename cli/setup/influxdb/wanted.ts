/** What the database is to hold, whatever the version. */

import type { Metric } from '../../../collector/metrics/metric.ts'
import type { Resolution } from './resolutions.ts'

export interface Wanted {
  /** Database or bucket. */
  readonly database: string
  /** Where the collector writes: the database's default policy if undefined (1.x). */
  readonly policy: string | undefined
  readonly org: string | undefined
  /** Retention of the windows, seconds. */
  readonly keepRaw: number
  readonly resolutions: readonly Resolution[]
  readonly metrics: readonly Metric[]
  /** A shorter retention may delete what is older. */
  readonly shorten: boolean
  /** Where passwords or tokens of a writer and a reader go. */
  readonly credentials: string | undefined
  /** Seconds since 1970. */
  readonly now: number
}

/** Measurement and policy of a continuous query or task. */
export const isOn = ({ keep }: Resolution): boolean => keep !== undefined
