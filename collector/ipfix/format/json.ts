/** A record as JSON instead: an object a record, its values by the names of their elements, and no template. */

import { isIPv4 } from 'node:net'
import { ELEMENTS, type ElementName } from './elements.ts'
import type { Value } from './encode.ts'
import type { Template } from './templates.ts'

/** As the bytes of IPFIX have it: no IPv6 where IPv4 belongs, and IPv4 mapped into IPv6. */
const ADDRESSES = {
  ipv4: (text: string) => (isIPv4(text) ? text : '0.0.0.0'),
  ipv6: (text: string) => (isIPv4(text) ? `::ffff:${text}` : text || '::'),
} as const

/** @param time of the export, milliseconds since the epoch */
export function jsonOf(
  { names }: Template,
  read: (name: ElementName) => Value,
  time: number,
  isIncomplete: boolean,
): string {
  const ipfix = [...names].sort().map(name => {
    const { type } = ELEMENTS[name]
    const value = read(name)
    if (type === 'ipv4' || type === 'ipv6') return [name, ADDRESSES[type](String(value))]
    return [name, typeof value === 'number' ? Math.max(0, Math.trunc(value)) : value]
  })
  return `${JSON.stringify({
    '@timestamp': new Date(time).toISOString(),
    ipfix: Object.fromEntries(ipfix),
    ...(isIncomplete && { incomplete: true }),
  })}\n`
}
