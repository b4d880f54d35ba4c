/** Checks the host of an address: an IP address, or a name of RFC 1123. */

import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { codePoint } from './text.ts'

/** As long as the DNS allows: RFC 1035, 2.3.4. */
const MAX_OF_NAME = 253
const MAX_OF_LABEL = 63
/** IFNAMSIZ without its zero, linux/if.h. */
const MAX_OF_INTERFACE = 15
/** RFC 1123, 2.1; the underscore is in names of Docker Compose. */
const LABEL = /^[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$/i

/**
 * @param host IPv6 without its brackets, with `%eth0` or `%2` behind it where it is link-local
 * @returns what is wrong and the remedy, or undefined
 */
export function hostFault(host: string): string | undefined {
  if (/\$\{?\w|\{\{|^<.*>$/.test(host)) return `${host} was never replaced: write the host's name or address`
  if (host.includes(':')) return addressFault(host)
  const name = host.replace(/\.$/, '')
  if (name === '') return 'the host is missing: give its name or address'
  const foreign = /[^a-z\d._-]/i.exec(name)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (foreign && /[^\x00-\x7f]/.test(name)) return foreignFault(name)
  if (foreign) return `a host has no ${foreign[0]} in its name: correct ${host}`
  const labels = name.split('.')
  // a name that ends in digits is parsed as a number, as 127.1 or 0x7f.1 are: WHATWG URL, "ends in a number"
  if (/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1)!))
    return isIPv4(host) ? undefined : `${host} is not an IPv4 address: give four numbers from 0 to 255`
  if (name.length > MAX_OF_NAME)
    return `the host's name has ${name.length} characters: ${MAX_OF_NAME} is the most`
  const wrong = labels.find(label => label.length > MAX_OF_LABEL || !LABEL.test(label))
  if (wrong === undefined) return undefined
  return wrong.length > MAX_OF_LABEL
    ? `a part of the host's name has ${wrong.length} characters: ${MAX_OF_LABEL} is the most`
    : `${host} is not a host name: each part must begin and end with a letter or digit`
}

function addressFault(host: string): string | undefined {
  const [address = '', zone, ...more] = host.split('%')
  if (!isIPv6(address)) return `${host} is not an IPv6 address: correct it`
  const isLinkLocal = /^fe[89ab]/i.test(address)
  if (zone === undefined)
    return isLinkLocal ? `${host} is link-local: add its interface, as in ${host}%eth0` : undefined
  if (more.length > 0 || !/^[^\s/%]+$/.test(zone) || Buffer.byteLength(zone) > MAX_OF_INTERFACE)
    return `${zone} is not an interface: give 1 to ${MAX_OF_INTERFACE} characters without / and blanks`
  return undefined
}

/** Resolvers take ASCII: a name with umlauts has another form in the DNS. */
function foreignFault(name: string): string {
  const first = [...name].find(character => character.codePointAt(0)! > 127)!
  const ascii = domainToASCII(name)
  return /\p{L}|\p{M}/u.test(first) && ascii !== '' && hostFault(ascii) === undefined
    ? `${name} has letters beyond ASCII: write ${ascii}, its name in the DNS`
    : `a host has no ${first} (${codePoint(first)}) in its name: correct it`
}
