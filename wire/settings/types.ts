/** Types of settings, with their error messages. */

import { z } from 'zod'
import { linkFault, socketFault, socketPath } from './endpoint.ts'
import { hostFault } from './host_name.ts'

/** Flags and variables are text. Digits only: coercion would also accept `true`, `[]` and an empty text as numbers. */
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

/** Also what was a yes or no before there were words: `true` is the first word, `false` the last. */
export const oneOfOrNo = <const T extends readonly [string, ...string[]]>(...words: T) =>
  z.preprocess(
    given => (String(given) === 'true' ? words[0] : String(given) === 'false' ? words.at(-1) : given),
    oneOf(...words),
  )

/** One value or several. */
export const list = <T extends z.ZodType>(item: T) => z.preprocess(given => [given].flat(), z.array(item))

export const NONE = 'needs at least one'
/** Several words, also in one text: `flows,rtt`. */
export const words = <T extends z.ZodType>(word: T) =>
  z.preprocess(
    given => [given].flat().flatMap(text => (typeof text === 'string' ? text.split(/\s*,\s*/) : [text])),
    z.array(word).min(1, { error: NONE }),
  )

const LABEL = 'needs the key of a label, such as app or app.kubernetes.io/name'
/** Keys of labels, also several in one text: `team,app`. */
export const labelKeys = () =>
  z.preprocess(
    given => [given].flat().flatMap(text => (typeof text === 'string' ? text.split(/\s*,\s*/) : [text])),
    z.array(z.string({ error: LABEL }).regex(/^[^\s,='"]+$/, LABEL)),
  )

/** One value or several; an empty list is an error. */
export const some = <T extends z.ZodType>(item: T) =>
  z.preprocess(given => [given].flat(), z.array(item).min(1, { error: NONE }))

/** A text with its own rule: `fault` returns what is wrong, or undefined. */
const checked = (error: string, fault: (text: string) => string | undefined) =>
  z.string({ error }).superRefine((text, context) => {
    const message = fault(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

/** A ZeroMQ endpoint to connect to: `tcp://host:port` or `ipc:///path`, with `,plain` or `,curve` behind it. */
export const endpoint = () => checked('needs an endpoint', text => linkFault(text, 'connect'))

/** One to bind, `tcp://*:5556`, also with ntopng's interface id: `tcp://*:5556,ifid=6`. */
export const listening = () => checked('needs an endpoint', text => linkFault(text, 'bind'))

/** The path of a unix socket. */
export const socket = () =>
  text().transform((given, context) => {
    const path = socketPath(given)
    const message = socketFault(path)
    if (message === undefined) return path
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

/** A host name for tags. */
export const hostTag = () =>
  text()
    .max(253, 'needs a name of at most 253 characters')
    .regex(/^[^,"'\\]*$/, 'needs a host name without commas, quotes and backslashes')

/** A token for HTTP's `Authorization`: RFC 9110, 5.5. */
export const token = () => text().regex(/^[\x21-\x7e]+$/, 'needs a token of ASCII letters, digits and marks')

/** `127.0.0.1:9469`, `[::1]:9469`, or a port alone, which means loopback. */
export const address = () =>
  z.unknown().transform((given, context) => {
    const [, ip6, name, port] = /^(?:\[([^\]]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(String(given)) ?? []
    const host = ip6 ?? name ?? '127.0.0.1'
    const isAddress = Number(port) <= 65_535
    const fault = isAddress ? hostFault(host) : undefined
    if (isAddress && fault === undefined) return { host, port: Number(port) }
    const message = fault ? `${given}: ${fault}` : 'needs an address and a port, such as 127.0.0.1:9469'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const SECONDS_OF: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3 },
  ...{ s: 1, m: 60, h: 3600 },
}
const LONGEST_S = 876_000 * 3600

/** A duration as Go writes it, `1m30s`: seconds. @param min seconds */
export const duration = (min: number) =>
  z.unknown().transform((given, context) => {
    const text = String(given)
    const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)]
    const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text
    const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * SECONDS_OF[unit!]!, 0)
    if (isWhole && seconds >= min && seconds <= LONGEST_S) return seconds
    context.addIssue({
      code: 'custom',
      message: `needs a duration of at least ${min}s, such as 60s or 1m30s (units: ns, us, ms, s, m, h)`,
    })
    return z.NEVER
  })
