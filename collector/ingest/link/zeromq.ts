/** A ZeroMQ ROUTER: each connection of a probe has an identity of its own, by which it is answered. */

import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { Router } from 'zeromq'
import { addressesOf, isIPv6Endpoint } from '../../../wire/addresses.ts'
import { ours, pathFault } from '../../../wire/link/trusted_path.ts'
import type { Link } from '../../../wire/settings/endpoint.ts'
import { makeDirectory } from '../../directory.ts'
import { makeRoom } from '../../unix_socket.ts'
import type { Door } from './access.ts'
import { type Gate, HANDSHAKE_MS } from './gate.ts'
import type { Incoming, Transport } from './transport.ts'

/** Rows are at most 0.8 MB of a message; all names of 32,768 containers with labels stay below this. */
const MAX_FRAME_BYTES = 32 * 2 ** 20
/** Parts that a message of a probe may have, with its token. */
const MAX_FRAMES = 8
/** Bytes of a frame: zeromq.js copies smaller ones. */
const LARGE_FRAME = 129
/** At the end, for the last answers; a probe that is gone takes none. */
const LINGER_MS = 200
/** A peer that does not answer is disconnected. */
const HEARTBEAT_MS = 5000
const SILENT_MS = 20_000
/** Connections that wait to be accepted. */
const BACKLOG = 128

/** @throws with the endpoint that cannot be bound */
export async function listen(link: Link, gate: Gate, door: Door): Promise<Transport> {
  const router = await bind(link, gate, door).catch((error: NodeJS.ErrnoException) => {
    const hint = error.code === 'EADDRINUSE' ? '; is another collector running?' : ''
    throw new Error(`cannot listen on ${link.endpoint}: ${error.message}${hint}`)
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

async function bind(link: Link, gate: Gate, door: Door): Promise<Router> {
  const { endpoint } = link
  const path = /^ipc:\/\/(?!@)(.*)$/s.exec(endpoint)?.[1]
  const addresses = await addressesOf(endpoint)
  const router = new Router({
    ...door.socket,
    ipv6: addresses.some(isIPv6Endpoint),
    linger: 0,
    maxMessageSize: MAX_FRAME_BYTES,
    receiveHighWaterMark: 64,
    handshakeInterval: HANDSHAKE_MS,
    heartbeatInterval: HEARTBEAT_MS,
    heartbeatTimeout: SILENT_MS,
    backlog: BACKLOG,
  })
  const open = async (address: string) => {
    await router.bind(address)
    if (path === undefined) return
    const fault = link.security === 'local' ? pathFault(path, ours, 'socket') : undefined
    if (fault !== undefined) throw new Error(fault)
    chmodSync(path, door.mode)
  }
  try {
    if (path !== undefined) {
      makeDirectory(dirname(path), '--listen', 0o755)
      await makeRoom(path) // ZeroMQ would take it from another collector without a word
    }
    gate.watch(router, await bindAll(open, addresses), open)
  } catch (error) {
    router.close()
    throw error
  }
  return router
}

/** Of a name with several addresses one may be of a family that this machine has not. */
async function bindAll(
  open: (address: string) => Promise<void>,
  addresses: readonly string[],
): Promise<string[]> {
  const bound: string[] = []
  let failed: unknown
  for (const address of addresses)
    await open(address).then(
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
    if (from) yield { from, frames: frames.slice(0, MAX_FRAMES + 1), done: () => frames.forEach(giveBack) }
}

/**
 * The memory of a message that has been read, at once. The garbage collector would do it late, and work for it: V8 marks the
 * whole heap each time 64 MB of memory from outside were taken.
 */
function giveBack({ buffer, length }: Buffer): void {
  if (length >= LARGE_FRAME && length === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}
