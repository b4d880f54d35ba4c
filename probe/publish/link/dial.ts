/** One DEALER to one address, from its connect to its end. ZeroMQ itself never connects again: the caller decides. */

import { Dealer } from 'zeromq'
import { isIPv6Endpoint } from '../../../wire/addresses.ts'
import type { Curve } from '../../../wire/link/curves.ts'
import { z85 } from '../../../wire/link/key.ts'
import type { Security } from '../../../wire/settings/endpoint.ts'

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

/** Without a server in between. */
export type Direct = Exclude<Security, 'server'>

/** Where to connect to, and as whom. */
export interface Way {
  readonly address: string
  readonly security: Direct
  readonly curve?: Curve
}

/** Why a collector that is there may end the connection, and why it refuses us. */
const CAUSES: Readonly<Record<Direct, { readonly closed: string; readonly refused: string }>> = {
  plain: {
    closed: 'it is no collector, needs keys, or is another kind of ZeroMQ socket',
    refused: 'it refuses us',
  },
  local: {
    closed: 'it is no collector, or another kind of ZeroMQ socket',
    refused: `it refuses user ${process.geteuid?.()}: name it in the collector's --link-users`,
  },
  curve: {
    closed: 'it is no collector, speaks plain text, or has another key than those in --collector-key',
    refused:
      'it does not know our key: sockflux keys show prints it here, sockflux keys allow lists it there',
  },
}
/** What ZAP answers when there is no room. */
const FULL = 500

/** @throws when the address is none, or there is no descriptor for it */
export function dial({ address, security, curve }: Way): Dialled {
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
    ...(curve && {
      curveServerKey: z85(curve.collector),
      curvePublicKey: z85(curve.own.publicKey),
      curveSecretKey: z85(curve.own.secretKey),
    }),
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
    stage = `it closes the connection; ${CAUSES[security].closed}`
  })
  events.on('handshake', () => {
    clearTimeout(late)
    ready.resolve(undefined)
  })
  events.on('handshake:error:protocol', () => ready.resolve('it does not speak as a collector does'))
  events.on('handshake:error:auth', ({ error }) =>
    ready.resolve(
      error.status === FULL
        ? 'it has as many connections as --max-connections allows'
        : CAUSES[security].refused,
    ),
  )
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
