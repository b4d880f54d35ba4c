/**
 * Whether a window's label can be true, judged by the collector's own clock. A label far ahead would head every query for the
 * last samples until its time comes; one from before Sockflux existed is of a clock that was never set. An old window is fine:
 * a backlog may be days old.
 */

import { EARLIEST_S } from '../../wire/time.ts'
import type { Folded } from './folded.ts'

/** Seconds; or two intervals, where these are longer. */
const MAX_AHEAD_S = 600
const AHEAD_INTERVALS = 2

/** What is wrong with a clock: to be logged, and counted where the window is not stored. */
export interface ClockFault {
  readonly reason: 'clock_ahead' | 'clock_unset' | 'own_clock_unset'
  readonly host: string
  readonly message: string
}

/**
 * @param now of the collector, seconds since the epoch
 * @returns why the window is not stored; or, with `own_clock_unset`, why it is stored without a check
 */
export function clockFault({ key: { host }, time, interval }: Stamped, now: number): ClockFault | undefined {
  const fault = (reason: ClockFault['reason'], message: string) => ({ reason, host, message })
  if (now < EARLIEST_S)
    return {
      ...fault(
        'own_clock_unset',
        'the clock of this machine was never set: windows are stored whatever their time is; set it with NTP',
      ),
      host: '',
    }
  const notStored = `${host}: the window until ${dateOf(time)} is not stored`
  if (time < EARLIEST_S)
    return fault('clock_unset', `${notStored} (the clock of ${host} was never set): set it with NTP`)
  const ahead = time - now
  if (ahead <= Math.max(MAX_AHEAD_S, AHEAD_INTERVALS * interval)) return undefined
  return fault(
    'clock_ahead',
    `${notStored} (the clock of ${host} is ${Math.round(ahead)} s ahead of this machine's): set both with NTP`,
  )
}

type Stamped = Pick<Folded, 'key' | 'time' | 'interval'>

/** @param seconds since the epoch */
const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')
