/** Opens connections to collectors: TCP, TLS or UDP. Names are resolved each time. */

import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls'
import type { CollectorAddress, TransportName } from './address.ts'
import { type Connection, faultOf, Opened } from './connection.ts'

export interface TlsFiles {
  readonly ca?: Buffer | undefined
  readonly certificate?: Buffer | undefined
  readonly key?: Buffer | undefined
  /** Name that the collector's certificate must have. */
  readonly name?: string | undefined
}

const CONNECT_MS = 10_000
/** The far end is asked whether it is still there. */
const KEEPALIVE_MS = 30_000
/** A name is resolved again, for datagrams. */
const RESOLVE_MS = 60_000

/** @param signal gives up */
type Opener = (address: CollectorAddress, tls: TlsFiles, signal: AbortSignal) => Promise<Connection>

export const OPENERS: Readonly<Record<TransportName, Opener>> = {
  tcp: async (address, _, signal) => stream(connectTcp(address.port, address.host), 'connect', signal),
  tls: async (address, { ca, certificate, key, name = address.host }, signal) => {
    const options: ConnectionOptions = {
      ...{ host: address.host, port: address.port, minVersion: 'TLSv1.2' },
      // SNI has names alone: RFC 6066, 3
      ...(isIP(name) === 0 && { servername: name }),
      checkServerIdentity: (_, found) => checkServerIdentity(name, found),
      ...(ca && { ca }),
      ...(certificate && { cert: certificate }),
      ...(key && { key }),
    }
    return stream(connectTls(options), 'secureConnect', signal)
  },
  udp: (address, _, signal) => datagrams(address, signal),
}

async function stream(socket: Socket, ready: string, signal: AbortSignal): Promise<Connection> {
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1000} s`)))
  await once(socket, ready, { signal }).catch((error: Error) => {
    socket.destroy()
    throw faultOf(error)
  })
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEPALIVE_MS)
  socket.resume() // a collector says nothing; what it says is not read
  const opened = new Opened(
    (bytes, done) => void socket.write(bytes, done),
    async () => {
      if (socket.destroyed) return
      socket.end()
      const late = setTimeout(() => socket.destroy(), 1000)
      await once(socket, 'close').catch(() => {})
      clearTimeout(late)
    },
  )
  socket.on('error', error => opened.fail(error))
  socket.on('end', () => opened.fail(new Error('the collector closed the connection')))
  socket.on('close', () => opened.fail(new Error('the connection was closed')))
  return opened
}

/** All addresses of a name. @throws what the resolver says */
type Resolve = (host: string) => Promise<{ readonly address: string; readonly family: number }[]>
const resolveAll: Resolve = host => lookup(host, { all: true })

/**
 * Nobody says that a datagram went to an address where nobody is any more: the name is resolved again and again.
 * @param againMs so often
 */
export async function datagrams(
  address: CollectorAddress,
  signal: AbortSignal,
  resolve = resolveAll,
  againMs = RESOLVE_MS,
): Promise<Connection> {
  const [found] = await unless(signal, resolve(address.host)).catch((error: Error) => {
    throw faultOf(error)
  })
  if (!found) throw new Error(`${address.host} has no address`)
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4')
  socket.connect(address.port, found.address)
  await once(socket, 'connect', { signal }).catch((error: Error) => {
    socket.close()
    throw faultOf(error)
  })
  const look = async () => {
    // a resolver that is away for a while says nothing of the collector
    const all = await resolve(address.host).catch(() => [found])
    if (all.length > 0 && all.every(one => one.address !== found.address))
      opened.fail(new Error(`${address.host} is no longer ${found.address}`))
  }
  const again = setInterval(() => void look(), againMs)
  const opened = new Opened(
    (bytes, done) => socket.send(bytes, done),
    async () => {
      clearInterval(again)
      socket.close()
      await once(socket, 'close')
    },
  )
  // an ICMP message says that nobody listens
  socket.on('error', error => opened.fail(error))
  return opened
}

/** What cannot be stopped is not waited for: a resolver without servers answers after half a minute. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new Error('stopped'))
  signal.addEventListener('abort', stop)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop))
}
