/** Addresses of collectors: `host[:port][:tcp|udp|tls]`, IPv6 in brackets. */

import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { hostFault } from '../../../wire/settings/host_name.ts'

export const TRANSPORTS = ['tcp', 'udp', 'tls'] as const
export type TransportName = (typeof TRANSPORTS)[number]

export interface CollectorAddress {
  readonly host: string
  readonly port: number
  /** undefined: none was named. `grpc` is what newer agents speak to their aggregator, and nobody here. */
  readonly transport: TransportName | 'grpc' | undefined
}

/** Of IPFIX, also over TLS: IANA has 4740 for that, and the collectors that are meant here listen at this one. */
const PORT = 4739
const EXAMPLE = 'such as 192.0.2.7:4739:tcp, [2001:db8::7]:4739:udp or collector.example:4739:tls'

const isTransport = (word: string): word is TransportName | 'grpc' =>
  word === 'grpc' || TRANSPORTS.some(name => name === word)

/** A Service as Antrea has it, `namespace/name`, by its name in the DNS of a cluster. */
const hostOf = (name: string): string => name.replace(/^([^/]+)\/([^/]+)$/, '$2.$1.svc')

/** @returns what is wrong, and the remedy, as text */
export function parseAddress(text: string): CollectorAddress | string {
  const [, scheme, behind] = /^([a-z][\w+.-]*):\/\/([^/]*)/i.exec(text) ?? []
  if (scheme !== undefined)
    return `${text}: ${scheme}:// does not belong here: write ${behind || 'host'}:${isTransport(scheme.toLowerCase()) ? scheme.toLowerCase() : 'tcp'}`
  if (isIPv6(text)) return `${text}: an IPv6 address is in brackets: write [${text}]`
  const [, ip6, name, rest = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*))((?::[^:]*)*)$/.exec(text) ?? []
  const words = rest === '' ? [] : rest.slice(1).split(':')
  const host = ip6 ?? (name && hostOf(name))
  if (host === undefined || words.length > 2) {
    const isIpv6 = /^([\da-f]{0,4}:){3}/i.test(text)
    return isIpv6 ? `${text}: an IPv6 address is in brackets: write [${text}]` : `needs an address ${EXAMPLE}`
  }
  if (ip6 !== undefined && !ip6.includes(':')) return `${text}: [${ip6}] is not an IPv6 address: correct it`
  const fault = hostFault(host)
  if (fault !== undefined) return `${text}: ${fault}`
  const [first = '', second] = words
  const port = second === undefined && isTransport(first.toLowerCase()) ? '' : first
  const word = (second ?? (port === first ? '' : first)).toLowerCase()
  if (port !== '' && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535))
    return `${text}: ${port} is not a port: give a number from 1 to 65535`
  if (word !== '' && !isTransport(word))
    return `${text}: ${word} is no transport: it is one of ${TRANSPORTS.join(', ')}`
  return { host, port: port === '' ? PORT : Number(port), transport: isTransport(word) ? word : undefined }
}

export const collectorAddress = () =>
  z.string({ error: `needs an address ${EXAMPLE}` }).transform((text, context): CollectorAddress => {
    const parsed = parseAddress(text)
    if (typeof parsed !== 'string') return parsed
    context.addIssue({ code: 'custom', message: parsed })
    return z.NEVER
  })

export const addressText = ({ host, port }: CollectorAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
