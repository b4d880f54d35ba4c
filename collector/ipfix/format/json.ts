/** A record as JSON instead: an object a record, its values by the names of their elements, and no template. */

import { ELEMENTS, type ElementName } from './elements.ts'
import { isOtherFamily, type Value } from './encode.ts'
import type { Template } from './templates.ts'

const NO_ADDRESS = { ipv4: '0.0.0.0', ipv6: '::' } as const

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
    if (type === 'ipv4' || type === 'ipv6') return [name, addressOf(type, String(value))]
    return [name, typeof value === 'number' ? Math.max(0, Math.trunc(value)) : value]
  })
  return `${JSON.stringify({
    '@timestamp': new Date(time).toISOString(),
    ipfix: Object.fromEntries(ipfix),
    ...(isIncomplete && { incomplete: true }),
  })}\n`
}

function addressOf(type: 'ipv4' | 'ipv6', ip: string): string {
  if (ip === '' || isOtherFamily(type, ip)) return NO_ADDRESS[type]
  return type === 'ipv6' && !ip.includes(':') ? `::ffff:${ip}` : ip
}
