/** A TCP relay between two programs that can be cut, as a network that fails. */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Closable, closable } from './cleanup.ts'
import { freePort } from './sockflux.ts'

export class Relay {
  readonly #port: number
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(port: number, target: number) {
    this.#port = port
    this.#target = target
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.#port}`
  }

  async join(): Promise<void> {
    this.#server = createServer(near => {
      const far = connect(this.#target, '127.0.0.1')
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(from)
            to.destroy()
          })
        from.pipe(to)
      }
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async cut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(server, 'close')
  }
}

/** @param target `tcp://127.0.0.1:PORT` */
export function startRelay(target: string): Promise<Relay & Closable> {
  return closable(async cleanup => {
    const relay = new Relay(await freePort(), Number(new URL(target).port))
    cleanup.defer(() => relay.cut())
    await relay.join()
    return relay
  })
}
