/** Spans of time as people write them: `30d`, `2h`, `infinite`. */

import { text } from '../../wire/settings/types.ts'

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 }
/** InfluxDB's own bounds: an hour is its shortest retention, and it counts nanoseconds in 63 bits. */
const MIN = 3600
const MAX = 100 * 31_536_000

/** In seconds; `Infinity` for ever. Undefined if it is none. */
function read(given: string): number | undefined {
  if (given === 'infinite' || given === '0') return Number.POSITIVE_INFINITY
  const [, digits, unit = ''] = /^(\d{1,9})([mhdwy])$/.exec(given) ?? []
  return digits === undefined ? undefined : Number(digits) * SECONDS[unit]!
}

/** @param given has passed one of the types below */
export const secondsOf = (given: string): number => read(given) ?? Number.NaN

const within = (from: number, to: number) => (given: string) => {
  const seconds = read(given)
  return seconds !== undefined && seconds >= from && (seconds <= to || seconds === Number.POSITIVE_INFINITY)
}
const keeps = within(MIN, MAX)
const span = within(0, 30 * 86_400)

const KEEP = 'from 1h to 100y (m, h, d, w, y), or infinite'
export const keep = () => text().refine(keeps, { error: `needs a time ${KEEP}` })
export const keepOrOff = () =>
  text().refine(given => given === 'off' || keeps(given), { error: `needs a time ${KEEP}, or off` })
export const late = () =>
  text().refine(given => span(given) && Number.isFinite(secondsOf(given)) && given !== '0', {
    error: 'needs a time of at most 30d, such as 2h',
  })

const UNITS = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** The largest unit that divides it, as InfluxQL prints durations; what is infinite is `INF`. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'INF'
  const [unit, size] = UNITS.find(([, size]) => seconds % size === 0) ?? ['s', 1]
  return `${seconds / size}${unit}`
}

/** `720h0m0s`, as InfluxDB 1.x shows a policy's duration; `0s` is for ever. */
export function shownSeconds(text: string): number | undefined {
  const [all, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? []
  if (!all) return undefined
  const sum = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return sum === 0 ? Number.POSITIVE_INFINITY : sum
}

/** For people. */
export const inWords = (seconds: number): string =>
  Number.isFinite(seconds) ? durationText(seconds) : 'for ever'
