/** One DEALER to one address, from its connect to its end. ZeroMQ itself never connects again: the caller decides. */

import { Dealer } from 'zeromq'
import { isIPv6Endpoint } from '../../wire/addresses.ts'

/** So that a peer which vanished without a word is noticed. */
const HEARTBEAT_MS = 2000
const SILENT_MS = 10_000
/** For the connection and then for its handshake; another address may answer. */
const CONNECT_MS = 3000
const HANDSHAKE_MS = 5000
/** An acknowledgement has some 200 bytes. */
const MAX_MESSAGE_BYTES = 4096
/** Acknowledgements that wait to be read. */
const RECEIVE_MESSAGES = 64

export interface Dialled {
  readonly socket: Dealer
  /** The handshake is done, or why it is not: in words for the log. */
  readonly ready: Promise<string | undefined>
  /** The connection has ended. */
  readonly ended: Promise<void>
  /** Ends it. */
  close(): void
}

/** @throws when the address is none, or there is no descriptor for it */
export function dial(address: string): Dialled {
  // `immediate`: nothing is queued for a connection that is not there
  const socket = new Dealer({
    linger: 0,
    immediate: true,
    ipv6: isIPv6Endpoint(address),
    sendHighWaterMark: 16,
    receiveHighWaterMark: RECEIVE_MESSAGES,
    maxMessageSize: MAX_MESSAGE_BYTES,
    reconnectInterval: -1,
    connectTimeout: CONNECT_MS,
    handshakeInterval: HANDSHAKE_MS,
    heartbeatInterval: HEARTBEAT_MS,
    heartbeatTimeout: SILENT_MS,
  })
  const ready = Promise.withResolvers<string | undefined>()
  const ended = Promise.withResolvers<void>()
  let stage = 'it refuses the connection, or is out of reach'
  const end = (why: string) => {
    clearTimeout(late)
    ready.resolve(why)
    ended.resolve()
  }
  const late = setTimeout(() => end('it does not answer'), CONNECT_MS + HANDSHAKE_MS)
  const { events } = socket
  events.on('connect', () => {
    stage = 'it closes the connection; it is no collector, or another kind of ZeroMQ socket'
  })
  events.on('handshake', () => {
    clearTimeout(late)
    ready.resolve(undefined)
  })
  events.on('handshake:error:protocol', () => ready.resolve('it does not speak as a collector does'))
  events.on('handshake:error:auth', () => ready.resolve('it refuses our key'))
  events.on('disconnect', () => end(stage))
  events.on('close', () => end(stage)) // of an attempt that was refused
  try {
    socket.connect(address)
  } catch (error) {
    clearTimeout(late)
    socket.close()
    throw error
  }
  return {
    socket,
    ready: ready.promise,
    ended: ended.promise,
    close() {
      if (!socket.closed) socket.close()
      end(stage)
    },
  }
}
