/** A connection to a collector: TCP, TLS or UDP. Names are resolved each time. */

import { createSocket } from 'node:dgram'
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
  /** The oldest that is spoken, 1.2 if none is given. */
  readonly version?: '1.2' | '1.3'
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
    await this.#close()
  }
}

const CONNECT_MS = 10_000
/** The far end is asked whether it is still there. */
const KEEPALIVE_MS = 30_000

/** @param signal gives up */
type Opener = (address: CollectorAddress, tls: TlsFiles, signal: AbortSignal) => Promise<Connection>

export const OPENERS: Readonly<Record<TransportName, Opener>> = {
  tcp: async (address, _, signal) => stream(connectTcp(address.port, address.host), 'connect', signal),
  tls: async (address, { ca, certificate, key, version = '1.2', name = address.host }, signal) => {
    const options: ConnectionOptions = {
      ...{ host: address.host, port: address.port, minVersion: `TLSv${version}` },
      // SNI has names alone: RFC 6066, 3
      ...(isIP(name) === 0 && { servername: name }),
      checkServerIdentity: (_, found) => checkServerIdentity(name, found),
      ...(ca && { ca }),
      ...(certificate && { cert: certificate }),
      ...(key && { key }),
    }
    return stream(connectTls(options), 'secureConnect', signal)
  },
  udp: datagrams,
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

async function datagrams(address: CollectorAddress, _: TlsFiles, signal: AbortSignal): Promise<Connection> {
  const found = await lookup(address.host).catch((error: Error) => {
    throw faultOf(error)
  })
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4')
  socket.connect(address.port, found.address)
  await once(socket, 'connect', { signal }).catch((error: Error) => {
    socket.close()
    throw faultOf(error)
  })
  const opened = new Opened(
    (bytes, done) => socket.send(bytes, done),
    async () => {
      socket.close()
      await once(socket, 'close')
    },
  )
  // an ICMP message says that nobody listens
  socket.on('error', error => opened.fail(error))
  return opened
}

/** A number of the system by its name; else what TLS or the resolver says. The address is in the name of who logs it. */
function faultOf({ message, code = '' }: Error & { code?: string }): Error {
  return new Error(/^E(?!RR_)[A-Z]+$/.test(code) ? code : message)
}
