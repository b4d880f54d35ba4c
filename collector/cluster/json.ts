/** Reads objects of other programs without trust: what is not there, or is something else, is empty. */

export type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const record = (value: unknown): Json => (isRecord(value) ? value : {})

export const member = (value: unknown, name: string): Json => record(record(value)[name])

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0

export const elements = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter(isRecord) : []

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : []

export const textMap = (value: unknown): Readonly<Record<string, string>> => {
  const entries = Object.entries(isRecord(value) ? value : {})
  return Object.fromEntries(entries.filter(([, one]) => typeof one === 'string')) as Record<string, string>
}

/** RFC 3339, as the API writes times. @returns milliseconds since the epoch; undefined where there is none */
export function timeMs(value: unknown): number | undefined {
  const time = Date.parse(text(value))
  return Number.isNaN(time) ? undefined : time
}
