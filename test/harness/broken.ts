import { createServer, type Socket } from 'node:net'
import { type Closable, closable } from './cleanup.ts'

/** What a runtime that is not well does with who connects. */
const MANNERS = {
  /** It takes the connection and says nothing. */
  silent: () => {},
  /** It says what is no protocol. */
  garbage: (socket: Socket) => socket.end('\x00\xff what? \r\n\r\n'),
  /** It answers over HTTP with what is no JSON. */
  nonsense: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"a":'),
  /** It answers with JSON that says something else. */
  strange: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"message":1}'),
  failing: (socket: Socket) => socket.end('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'),
  /** Its answer has no end. */
  endless: (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const timer = setInterval(() => socket.write('['.repeat(1000)), 10)
    socket.on('close', () => clearInterval(timer))
  },
}

/** A stand-in for a runtime that is broken, at a unix socket. */
export function startBroken(
  path: string,
  manner: keyof typeof MANNERS,
): Promise<{ connections: () => number } & Closable> {
  return closable(async cleanup => {
    const open = new Set<Socket>()
    let connections = 0
    const server = createServer(socket => {
      connections++
      open.add(socket)
      socket.on('error', () => {}).on('close', () => open.delete(socket))
      // only when asked, as the others do
      socket.once('data', () => MANNERS[manner](socket))
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    cleanup.defer(() => new Promise(resolve => server.close(resolve)))
    cleanup.defer(() => {
      for (const socket of open) socket.destroy()
    })
    return { connections: () => connections }
  })
}
