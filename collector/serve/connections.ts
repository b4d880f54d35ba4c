/** Connections of a server, bounded: with too many, one that asks nothing goes first, the oldest of them. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export function boundConnections(server: Server, max: number): void {
  /** Who asks nothing now, the longest first; and how many are there at all. */
  const idle = new Set<Socket>()
  let open = 0
  server.on('connection', (socket: Socket) => {
    const [oldest] = idle
    if (open >= max) (oldest ?? socket).destroy()
    open++
    idle.add(socket)
    socket.once('close', () => {
      open--
      idle.delete(socket)
    })
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket)
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket)
    })
  })
}
