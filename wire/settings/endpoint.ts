/** ZeroMQ endpoints, and paths of unix sockets. Checked before they reach libzmq, whose only error is "Invalid argument". */

import { hostFault } from './host_name.ts'

/** sun_path of unix(7) has 108 bytes, the last one a zero. */
const MAX_OF_PATH = 107
const EXAMPLES = 'such as tcp://127.0.0.1:5556 or ipc:///run/sockflux/collector'

/** A password in an endpoint must not get into messages. */
const masked = (text: string): string => text.replace(/(?<=^\w+:\/\/).*@/s, '…@')

/**
 * @param use to connect to, or to bind; one to bind may have `*` as address or port
 * @returns what is wrong and the remedy; a message that begins with `needs` does not repeat the endpoint
 */
export function endpointFault(endpoint: string, use: 'connect' | 'bind'): string | undefined {
  const [, scheme, rest = ''] = /^(tcp|ipc):\/\/(.+)$/s.exec(endpoint) ?? []
  if (scheme === undefined) return `needs an endpoint ${EXAMPLES}`
  const fault = scheme === 'ipc' ? ipcFault(rest) : tcpFault(rest, use)
  return fault && `${masked(endpoint)}: ${fault}`
}

function ipcFault(path: string): string | undefined {
  if (/\$\{?\w|\{\{|^<.*>$/.test(path)) return 'a placeholder in the path was never replaced: write the path'
  if (/^\*|\/$|[\s,]/.test(path))
    return 'a path of a socket has no *, comma or blank and does not end with /: correct it'
  return lengthFault(path)
}

const lengthFault = (path: string): string | undefined => {
  const length = Buffer.byteLength(path)
  return length > MAX_OF_PATH
    ? `the path has ${length} bytes, a unix socket takes ${MAX_OF_PATH}: give a shorter one`
    : undefined
}

function tcpFault(rest: string, use: 'connect' | 'bind'): string | undefined {
  if (/,ifid=/.test(rest)) return "ifid is for the collector's --listen: leave it out"
  if (rest.includes('@')) return 'an endpoint has no user: write tcp://host:port'
  const [, ip6, name, port] = /^(?:\[([^\]]*)\]|(.*?)):([^:\]]*)$/s.exec(rest) ?? []
  if (port === undefined) return 'the port is missing: write tcp://host:port, as in tcp://127.0.0.1:5556'
  const host = ip6 ?? name ?? ''
  const numbered = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
  if (!numbered && !(use === 'bind' && port === '*'))
    return `${port || 'nothing'} is not a port: give a number from 1 to 65535`
  if (ip6 !== undefined && !ip6.includes(':'))
    return `[${ip6}] is not an IPv6 address: correct it, or leave the brackets out`
  if (ip6 === undefined && host.includes(':'))
    return `an IPv6 address is in brackets: write tcp://[${host}]:${port}`
  if (host === '*') return use === 'bind' ? undefined : '* is for listening: name the host of the collector'
  return hostFault(host)
}

/** `unix:///run/x.sock`, as crictl writes it, is the path. */
export const socketPath = (given: string): string => given.replace(/^unix:\/\/(?=\/)/, '')

export function socketFault(path: string): string | undefined {
  if (/^\w+:\/\//.test(path) || /^[\w.-]*:\d+$/.test(path))
    return 'needs the path of a unix socket, such as /run/sockflux/collector.sock'
  if (/\$\{?\w|\{\{|^<.*>$/.test(path)) return `${path}: a placeholder was never replaced: write the path`
  if (path.endsWith('/')) return `${path}: this is a directory: add the name of the socket`
  const fault = lengthFault(path)
  return fault && `${path}: ${fault}`
}
