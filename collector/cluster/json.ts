/** Reads objects of other programs without trust: what is not there, or is something else, is empty. */

import { isName } from '../../wire/check.ts'

export type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const record = (value: unknown): Json => (isRecord(value) ? value : {})

export const member = (value: unknown, name: string): Json => record(record(value)[name])

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Of an object or in it: one that is longer than any that Kubernetes has is none. */
export const name = (value: unknown): string => (isName(value) ? value : '')

export const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0

export const elements = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter(isRecord) : []

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : []

/** Annotations: they are read and not kept, and some are long. */
export const textsByName = (value: unknown): Readonly<Record<string, string>> => {
  const entries = Object.entries(isRecord(value) ? value : {})
  return Object.fromEntries(entries.filter(([, one]) => typeof one === 'string')) as Record<string, string>
}

/** Of one object. */
const MAX_LABELS = 256

/** Labels, or what is like them. */
export const textMap = (value: unknown): Readonly<Record<string, string>> => {
  const entries = Object.entries(isRecord(value) ? value : {})
  const isLabel = ([key, one]: [string, unknown]) => isName(key) && (one === '' || isName(one))
  return Object.fromEntries(entries.filter(isLabel).slice(0, MAX_LABELS)) as Record<string, string>
}

/** RFC 3339, as the API writes times. @returns milliseconds since the epoch; undefined where there is none */
export function timeMs(value: unknown): number | undefined {
  const time = Date.parse(text(value))
  return Number.isNaN(time) ? undefined : time
}
