/**
 * Endpoints, and paths of unix sockets. Those of ZeroMQ are checked before they reach libzmq, whose only error is "Invalid
 * argument".
 */

import { MAX_PARTITIONS } from '../nats/names.ts'
import { hostFault } from './host_name.ts'

/** sun_path of unix(7) has 108 bytes, the last one a zero. */
const MAX_OF_PATH = 107
const EXAMPLES =
  'such as tcp://collector.example:5556, ipc:///run/sockflux/link.sock or nats://nats.example:4222'

/** Where probe and collector of one machine meet. */
export const LINK = 'ipc:///run/sockflux/link.sock'

/**
 * How it is known who speaks. `curve`: by keys, and everything is encrypted. `local`: a unix socket, by the user of the other end. `plain`:
 * it is not known. `server`: a NATS server between both knows it, and lets each probe publish for its own host only.
 */
export type Security = 'curve' | 'local' | 'plain' | 'server'

/** An endpoint and the words behind it: `tcp://*:5556,plain,ifid=6`. */
export interface Link {
  /** With the words. */
  readonly text: string
  readonly endpoint: string
  readonly security: Security
  /** ntopng's interface id; of a collector's endpoint only. */
  readonly ifid?: string
  /** Plain text on loopback that nobody asked for by name. */
  readonly isByDefault: boolean
}

const NATS = 'nats://'

/** An endpoint of NATS servers and the words behind it: `nats://a:4222+b:4222,partitions=64`. */
export interface NatsLink {
  /** `host:port` of one cluster. */
  readonly servers: readonly string[]
  /** Off loopback, unless it says `plain`. */
  readonly isEncrypted: boolean
  /** Partitions that the probe computes; without it the server maps. */
  readonly partitions?: number
}

/** Text that was checked with `linkFault`, of this scheme. */
export function natsLinkOf(text: string): NatsLink {
  const [endpoint = '', ...words] = text.split(',')
  const servers = endpoint.slice(NATS.length).split('+')
  const partitions = words.find(word => word.startsWith(PARTITIONS))?.slice(PARTITIONS.length)
  const isEncrypted = words.includes('tls') || !(words.includes('plain') || servers.every(isNearby))
  return { servers, isEncrypted, ...(partitions !== undefined && { partitions: Number(partitions) }) }
}

const isNearby = (server: string): boolean => isLoopback(`tcp://${server}`)
const PARTITIONS = 'partitions='

/** Text that was checked with `linkFault`. */
export function linkOf(text: string): Link {
  const [endpoint = '', ...words] = text.split(',')
  const ifid = words.find(word => word.startsWith('ifid='))?.slice('ifid='.length)
  const named = words.find((word): word is 'plain' | 'curve' => word === 'plain' || word === 'curve')
  if (endpoint.startsWith(NATS))
    return { text, endpoint, security: 'server', isByDefault: false, ...(ifid !== undefined && { ifid }) }
  const usual = endpoint.startsWith('ipc:') ? 'local' : isLoopback(endpoint) ? 'plain' : 'curve'
  const isByDefault = named === undefined && usual === 'plain'
  return { text, endpoint, security: named ?? usual, isByDefault, ...(ifid !== undefined && { ifid }) }
}

/** By its text: a name may be resolved to anything, but for `localhost`. */
const isLoopback = (endpoint: string): boolean =>
  /^tcp:\/\/(127\.\d+\.\d+\.\d+|\[::1\]|localhost\.?):/i.test(endpoint)

/**
 * What is wrong with an endpoint or the words behind it, and the remedy.
 * @param use to connect to, or to bind
 */
export function linkFault(text: string, use: 'connect' | 'bind'): string | undefined {
  const [endpoint = '', ...words] = text.split(',')
  return endpointFault(endpoint, use) ?? wordsFault(text, words, use)
}

function wordsFault(text: string, words: readonly string[], use: 'connect' | 'bind'): string | undefined {
  const at = (fault: string) => `${masked(text)}: ${fault}`
  const kinds = words.map(word => word.replace(/=.*/s, '='))
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) < index)
  if (twice !== undefined) return at(`${twice} is there twice: leave one out`)
  if (kinds.includes('plain') && kinds.includes('curve'))
    return at('it is either plain or curve: leave one out')
  if (kinds.includes('curve') && text.startsWith('ipc:'))
    return at('a unix socket is not encrypted: leave curve out')
  const isNats = text.startsWith(NATS)
  if (isNats && kinds.includes('plain') && kinds.includes('tls'))
    return at('it is either plain or tls: leave one out')
  const known = isNats ? ['plain', 'tls'] : ['plain', 'curve']
  for (const word of words) {
    if (known.includes(word)) continue
    if (isNats && word.startsWith(PARTITIONS)) {
      if (use === 'bind') return at("partitions is for the probe's --collector: leave it out")
      if (!isCount(word.slice(PARTITIONS.length)))
        return at(
          `${word} is no number of partitions: give 1 to ${MAX_PARTITIONS}, as sockflux setup nats did`,
        )
      continue
    }
    if (!word.startsWith('ifid='))
      return at(
        `${word || 'nothing'} is unknown behind a comma: write ${known.join(', ')} or ${isNats && use === 'connect' ? 'partitions' : 'ifid'}=N`,
      )
    if (use === 'connect') return at("ifid is for the collector's --listen: leave it out")
    const ifid = word.slice('ifid='.length)
    if (!/^[\w.-]+$/.test(ifid))
      return at(`${ifid || 'nothing'} is not an ifid: use letters, digits, dots and hyphens`)
  }
  return undefined
}

const isCount = (text: string): boolean => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_PARTITIONS

/** A password in an endpoint must not get into messages. */
const masked = (text: string): string => text.replace(/(?<=^\w+:\/\/).*@/s, '…@')

/**
 * @param use to connect to, or to bind; one to bind may have `*` as address or port
 * @returns what is wrong and the remedy; a message that begins with `needs` does not repeat the endpoint
 */
function endpointFault(endpoint: string, use: 'connect' | 'bind'): string | undefined {
  const [, scheme, rest = ''] = /^(tcp|ipc|nats):\/\/(.+)$/s.exec(endpoint) ?? []
  if (scheme === undefined) return `needs an endpoint ${EXAMPLES}`
  const fault = FAULTS[scheme]!(rest, use)
  return fault && `${masked(endpoint)}: ${fault}`
}

type Fault = (rest: string, use: 'connect' | 'bind') => string | undefined
const FAULTS: Readonly<Record<string, Fault>> = { ipc: ipcFault, tcp: tcpFault, nats: natsFault }

/** A collector connects to a NATS server, too. */
function natsFault(rest: string): string | undefined {
  const servers = rest.split('+')
  for (const server of servers) {
    if (server.includes('@'))
      return 'an endpoint has no user: --nats-credentials names the file of a key or of credentials'
    if (/[/?#]/.test(server)) return 'a server is host:port without a path: write nats://host:4222'
    const fault = tcpFault(server, 'connect')
    if (fault !== undefined)
      return fault.replaceAll('tcp://', NATS).replace('127.0.0.1:5556', '127.0.0.1:4222')
  }
  return new Set(servers).size < servers.length ? 'a server is there twice: leave one out' : undefined
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
