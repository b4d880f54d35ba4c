/** Raw ZMTP 3.0 for what ZeroMQ's own sockets do not send: rfc.zeromq.org/spec/23. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Also a peer's first bytes when it is to say no more. */
export function greeting(mechanism = 'NULL'): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0])
  bytes.write(mechanism, 12)
  return bytes
}

const property = (name: string, value: Buffer): Buffer => {
  const head = Buffer.alloc(name.length + 5)
  head[0] = name.length
  head.write(name, 1)
  head.writeUInt32BE(value.length, 1 + name.length)
  return Buffer.concat([head, value])
}

/** @param identity that the peer chooses for its route */
export function ready(identity: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from('\x05READY'),
    property('Socket-Type', Buffer.from('DEALER')),
    property('Identity', identity),
  ])
  return Buffer.concat([Buffer.from([4, body.length]), body])
}

const LONG = 2
const MORE = 1

/** A part of a message, at least 256 bytes. */
export function part(body: Buffer, hasMore: boolean): Buffer {
  const head = Buffer.alloc(9)
  head[0] = LONG | (hasMore ? MORE : 0)
  head.writeBigUInt64BE(BigInt(body.length), 1)
  return Buffer.concat([head, body])
}

/** Errors are of no interest: the other end may close at any time. */
export async function rawPeer(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume()
  await once(socket, 'connect').catch(() => {})
  return socket
}

/** Parts of one message without an end, until the other end closes or so many bytes were taken. */
export async function endless(port: number, bytes: number): Promise<number> {
  const socket = await rawPeer(port)
  socket.write(greeting())
  socket.write(ready(Buffer.from('endless')))
  const body = part(Buffer.alloc(2 ** 20), true)
  let sent = 0
  while (!socket.destroyed && sent < bytes) {
    const isTaken = socket.write(body)
    sent += body.length
    if (!isTaken) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
  }
  socket.destroy()
  return sent
}

/** So many peers, one after the other in lanes, each with an identity of its own and a message. */
export async function identities(port: number, count: number, lanes = 32): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const identity = Buffer.from(`peer ${next++}`)
      const socket = await rawPeer(port)
      const end = once(socket, 'close').catch(() => {})
      socket.write(Buffer.concat([greeting(), ready(identity), part(Buffer.alloc(300), false)]))
      await Promise.race([end, new Promise(resolve => setTimeout(resolve, 200).unref())])
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
