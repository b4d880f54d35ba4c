/** Connections of a server, bounded: with too many, the idle one that is oldest is closed first. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export function boundConnections(server: Server, max: number): void {
  /** Idle connections, the one that is idle longest first; and the number of all. */
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
