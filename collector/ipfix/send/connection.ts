/** A connection to a collector: TCP, TLS or UDP. Names are resolved each time, and those of UDP, which never ends, again and again. */

import { createSocket } from 'node:dgram'
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls'
import type { CollectorAddress, TransportName } from './address.ts'

export interface Connection {
  /** Resolves when the kernel has it. @throws when the connection has failed */
  send(bytes: Buffer): Promise<void>
  /** Why it is no longer of use, or undefined. */
  readonly failure: Error | undefined
  /** Called once, when it is no longer of use. */
  onFailure: (() => void) | undefined
  close(): Promise<void>
}

export interface TlsFiles {
  readonly ca?: Buffer | undefined
  readonly certificate?: Buffer | undefined
  readonly key?: Buffer | undefined
  /** Name that the collector's certificate must have. */
  readonly name?: string | undefined
}

type Send = (bytes: Buffer, done: (error?: Error | null) => void) => void

/** What connections of every kind have in common: they fail once. */
class Opened implements Connection {
  failure: Error | undefined
  onFailure: (() => void) | undefined
  readonly #send: Send
  readonly #close: () => Promise<void>
  #closed: Promise<void> | undefined

  constructor(send: Send, close: () => Promise<void>) {
    this.#send = send
    this.#close = close
  }

  async send(bytes: Buffer): Promise<void> {
    if (this.failure) throw this.failure
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#send(bytes, error => (error ? reject(faultOf(error)) : resolve()))
    await promise
  }

  fail(error: Error): void {
    this.failure ??= faultOf(error)
    this.onFailure?.()
    this.onFailure = undefined
  }

  async close(): Promise<void> {
    this.onFailure = undefined
    this.#closed ??= this.#close()
    await this.#closed
  }
}

const CONNECT_MS = 10_000
/** The far end is asked whether it is still there. */
const KEEPALIVE_MS = 30_000
const LOOK_UP_MS = 60_000

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
  udp: datagrams(),
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

type LookUp = (host: string) => Promise<readonly LookupAddress[]>

/** @param againMs a name is looked up again so often: a socket that sends learns of no other address */
export function datagrams(
  lookUp: LookUp = host => lookup(host, { all: true }),
  againMs: number = LOOK_UP_MS,
): Opener {
  return async ({ host, port }, _, signal) => {
    const [found] = await unless(signal, lookUp(host)).catch((error: Error) => {
      throw faultOf(error)
    })
    if (!found) throw new Error(`${host} has no address`)
    const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4')
    socket.connect(port, found.address)
    await once(socket, 'connect', { signal }).catch((error: Error) => {
      socket.close()
      throw faultOf(error)
    })
    const again = setInterval(async () => {
      const now = await lookUp(host).catch(() => [])
      const isStill = now.length === 0 || now.some(({ address }) => address === found.address)
      if (!isStill) opened.fail(new Error(`it has another address now, ${now[0]!.address}`))
    }, againMs)
    if (isIP(host) !== 0) clearInterval(again)
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
}

/** A resolver takes its time. @throws when the signal comes first */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop))
}

/** A number of the system by its name; else what TLS or the resolver says. The address is in the name of who logs it. */
function faultOf({ message, code = '', reason }: Error & { code?: string; reason?: unknown }): Error {
  if (/^E(?!RR_)[A-Z]+$/.test(code)) return new Error(code)
  // the message of OpenSSL has lines, and places in its source
  return new Error(code.startsWith('ERR_SSL_') && typeof reason === 'string' ? `TLS: ${reason}` : message)
}
