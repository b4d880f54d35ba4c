import type { Size } from '../../terminal/painter.ts'

/** What a screen depends on besides what is shown. */
export interface Around {
  readonly size: Size
  /** Seconds since the epoch. */
  readonly now: number
  /** Said in the head: the collector is gone. */
  readonly problem?: string | undefined
  /** Lines above the last one: what the programs of `sockflux run` say. */
  readonly notes?: readonly string[]
  /** A command to try next. */
  readonly next?: string | undefined
}
