/** A ZeroMQ ROUTER: each connection of a probe has an identity of its own, by which it is answered. */

import { Router } from 'zeromq'
import { addressesOf, isIPv6Endpoint } from '../../wire/addresses.ts'
import { type Gate, HANDSHAKE_MS } from './gate.ts'
import type { Incoming, Transport } from './transport.ts'

/** Rows are at most 0.8 MB of a message; with all names a message stays below this. */
const MAX_MESSAGE_BYTES = 64 * 2 ** 20
/** Bytes of a frame; fewer are not worth it. */
const LARGE_FRAME = 4096
/** At the end, for the last answers; a probe that is gone takes none. */
const LINGER_MS = 200

/** Connections that wait to be accepted. */
const BACKLOG = 128

/** @throws with the endpoint that cannot be bound */
export async function listen(endpoint: string, gate: Gate): Promise<Transport> {
  const router = await bind(endpoint, gate).catch((error: NodeJS.ErrnoException) => {
    const hint = error.code === 'EADDRINUSE' ? '; is another collector running?' : ''
    throw new Error(`cannot listen on ${endpoint}: ${error.message}${hint}`)
  })
  return {
    messages: messagesOf(router),
    // the probe has gone, or we are closing: the answer is dropped
    send: (to, frames) => router.send([to as Buffer, ...frames]).catch(() => {}),
    async close() {
      router.linger = LINGER_MS
      router.close()
    },
  }
}

async function bind(endpoint: string, gate: Gate): Promise<Router> {
  const addresses = await addressesOf(endpoint)
  const router = new Router({
    ipv6: addresses.some(isIPv6Endpoint),
    linger: 0,
    maxMessageSize: MAX_MESSAGE_BYTES,
    receiveHighWaterMark: 64,
    handshakeInterval: HANDSHAKE_MS,
    backlog: BACKLOG,
  })
  gate.watch(router, await bindAll(router, addresses))
  return router
}

/** Of a name with several addresses one may be of a family that this machine has not. */
async function bindAll(router: Router, addresses: readonly string[]): Promise<string[]> {
  const bound: string[] = []
  let failed: unknown
  for (const address of addresses)
    await router.bind(address).then(
      () => bound.push(address),
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') throw error
        failed = error
      },
    )
  if (bound.length === 0) throw failed
  return bound
}

async function* messagesOf(router: Router): AsyncGenerator<Incoming> {
  for await (const [from, ...frames] of router)
    if (from) yield { from, frames, done: () => frames.forEach(giveBack) }
}

/**
 * The memory of a message that has been read, at once. The garbage collector would do it late, and work for it: V8 marks the
 * whole heap each time 64 MB of memory from outside were taken.
 */
function giveBack({ buffer, length }: Buffer): void {
  if (length >= LARGE_FRAME && length === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}
