/**
 * The names that a browser may call this page by. A foreign site can let its own name point here (DNS rebinding), and its
 * scripts would then read our answers as their own: such a request has that name in its Host header.
 */

import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { Address } from '../routes.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Whether nobody but this machine reaches the address. */
export const isLoopback = ({ host }: Pick<Address, 'host'>): boolean => LOOPBACK.test(host)

/**
 * Any port is right: a tunnel has its own.
 * @param names of a proxy, and others that this machine is known by
 * @param isProxied browsers come by a proxy, which has a name: by another they would be here in plain text
 */
export function isOurs(
  header: string | undefined,
  address: Address,
  names: readonly string[],
  isProxied: boolean,
): boolean {
  const [, ip6, name] = /^(?:\[([\da-f:.]+)\]|([a-z\d._-]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  const host = (ip6 ?? name ?? '').toLowerCase().replace(/\.$/, '')
  if (host === '') return false
  if (names.some(known => known.toLowerCase() === host) || LOOPBACK.test(host)) return true
  if (isProxied || isLoopback(address)) return false
  // an address is no name that can be made to point here
  return isIP(host) !== 0 || [hostname(), address.host].some(known => known.toLowerCase() === host)
}
