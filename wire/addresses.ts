/** Resolves an endpoint's name to all its addresses; ZeroMQ would use only one of them. */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

const NAMED = /^tcp:\/\/([^[\]/;]+):(\d+|\*)$/

/** Endpoints with brackets are IPv6. `*` listens on both families. */
export const isIPv6Endpoint = (endpoint: string): boolean => /^tcp:\/\/(\[|\*:)/.test(endpoint)

/**
 * @param endpoint `tcp://collector:5556` is resolved each time; an address, `ipc://` or an interface's name is returned unchanged
 * @throws if the name is not resolved
 */
export async function addressesOf(endpoint: string): Promise<string[]> {
  const [, host, port] = NAMED.exec(endpoint) ?? []
  if (host === undefined || host === '*' || isIP(host) !== 0 || Object.hasOwn(networkInterfaces(), host))
    return [endpoint]
  const found = await lookup(host, { all: true, order: 'verbatim' }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'ENOTFOUND'
        ? `the host ${host} is unknown`
        : `the name ${host} cannot be resolved now (${error.code ?? error.message})`,
    )
  })
  return found.map(({ address, family }) => `tcp://${family === 6 ? `[${address}]` : address}:${port}`)
}
