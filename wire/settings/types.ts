/** Kinds of values that settings have, with messages for people. */

import { z } from 'zod'

/** Flags and variables are text. Digits only: coercion would also take `true`, `[]` and nothing at all for numbers. */
const numeric = (given: unknown) => (typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given)

export const whole = (min: number, max: number) => {
  const error = `needs a whole number from ${min} to ${max}`
  return z.preprocess(numeric, z.number({ error }).int({ error }).min(min, { error }).max(max, { error }))
}

export const oneOfNumbers = <const T extends readonly [number, ...number[]]>(...numbers: T) =>
  z.preprocess(numeric, z.literal(numbers, { error: `needs one of ${numbers.join(', ')}` }))

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** Bytes, with K, M or G for powers of 1,024: `64M`. */
export const bytes = (min: number, max: number = 2 ** 40) =>
  z.unknown().transform((given, context) => {
    const [, digits, unit] = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(String(given)) ?? []
    const value = Number(digits) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN)
    if (value >= min && value <= max) return value
    context.addIssue({ code: 'custom', message: `needs a size from ${min} to ${max} bytes, for example 64M` })
    return z.NEVER
  })

export const yesNo = () =>
  z.union([z.boolean(), z.enum(['true', 'false']).transform(word => word === 'true')], {
    error: 'needs true or false',
  })

export const text = () =>
  z
    .string({ error: 'needs a text: put what looks like a number in quotes' })
    .min(1, 'needs a text that is not empty')

export const oneOf = <const T extends readonly [string, ...string[]]>(...words: T) =>
  z.enum(words, { error: `needs one of ${words.join(', ')}` })

/** One value or several. */
export const list = <T extends z.ZodType>(item: T) => z.preprocess(given => [given].flat(), z.array(item))

export const NONE = 'needs at least one'
/** One value or several, where nothing would be done without. */
export const some = <T extends z.ZodType>(item: T) =>
  z.preprocess(given => [given].flat(), z.array(item).min(1, { error: NONE }))

/** A port that exists, 1 to 65535, for a regular expression. */
export const PORT = '(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])'

/** A ZeroMQ endpoint to connect to: `tcp://host:port` or `ipc:///path`. */
export const endpoint = () =>
  z
    .string({ error: 'needs an endpoint' })
    .regex(new RegExp(`^(tcp://(\\[[0-9a-fA-F:.]+\\]|[^\\s/:*]+):${PORT}|ipc://\\S+)$`), {
      error: 'needs an endpoint such as tcp://127.0.0.1:5556 or ipc:///run/sockflux/collector',
    })
