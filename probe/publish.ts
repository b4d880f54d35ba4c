/**
 * To the collectors: one DEALER each, connected; everything is kept until its window is acknowledged.
 *
 * ZeroMQ gives a message up silently when its connection dies under it. So each connection gets a socket of its own and
 * sends from the oldest message that is not acknowledged: in order, nothing missing, and what arrives twice is told by
 * its sequence.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Dealer } from 'zeromq'
import { Queue } from './queue.ts'
import { decodeAck, encode, type Head, type Who } from './wire/message.ts'

export interface PublishOptions {
  /** ZeroMQ endpoints, for example `tcp://127.0.0.1:5556`. */
  readonly collectors: readonly string[]
  /** Bytes that may wait for one collector. */
  readonly queueBytes: number
}

/** So that a peer which vanished without a word is noticed. */
const HEARTBEAT_MS = 2000
const SILENT_MS = 10_000

class Connection {
  readonly queue: Queue
  readonly #endpoint: string
  readonly #boot: string
  readonly #probe: string
  readonly #log: Logger
  #socket: Dealer | undefined
  #closed = false
  #wake: () => void = () => {}
  readonly #done: Promise<unknown>

  constructor(
    endpoint: string,
    queueBytes: number,
    { boot, probe }: { boot: string; probe: string },
    log: Logger,
  ) {
    this.#endpoint = endpoint
    this.#boot = boot
    this.#probe = probe
    this.#log = log.child({ collector: endpoint })
    this.queue = new Queue(queueBytes)
    this.#done = this.#run()
  }

  wake(): void {
    this.#wake()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    this.#socket?.close()
    await this.#done
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      // `immediate`: nothing is queued for a connection that is not there
      const socket = new Dealer({
        linger: 0,
        immediate: true,
        ipv6: this.#endpoint.includes('['),
        sendHighWaterMark: 16,
        reconnectInterval: 200,
        reconnectMaxInterval: 2000,
        heartbeatInterval: HEARTBEAT_MS,
        heartbeatTimeout: SILENT_MS,
      })
      this.#socket = socket
      this.queue.rewind()
      let lost = false
      socket.events.on('handshake', () => this.#log.info('connected'))
      socket.events.on('disconnect', () => {
        lost = true
        this.#wake()
        if (!socket.closed) socket.close()
      })
      socket.connect(this.#endpoint)
      await Promise.all([this.#send(socket, () => lost || this.#closed), this.#receive(socket)])
      if (!socket.closed) socket.close()
      if (lost && !this.#closed)
        this.#log.warn({ waiting: this.queue.length }, 'connection lost, connecting again')
      if (!this.#closed) await sleep(100)
    }
  }

  async #send(socket: Dealer, over: () => boolean): Promise<void> {
    while (!over()) {
      const message = this.queue.next()
      if (message) await socket.send(message.frames).catch(() => {})
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async #receive(socket: Dealer): Promise<void> {
    try {
      for await (const frames of socket) this.#acknowledged(frames)
    } catch {
      // the socket was closed
    }
  }

  #acknowledged(frames: Buffer[]): void {
    try {
      const key = decodeAck(frames)
      if (key.boot === this.#boot && key.probe === this.#probe) this.queue.acknowledge(key)
    } catch (error) {
      this.#log.warn({ error: (error as Error).message }, 'the collector sent no acknowledgement')
    }
  }
}

export class Publisher {
  readonly #connections: Connection[]
  #messages = 0
  #rows = 0

  constructor(options: PublishOptions, identity: { boot: string; probe: string }, log: Logger) {
    this.#connections = options.collectors.map(
      endpoint => new Connection(endpoint, options.queueBytes, identity, log),
    )
  }

  /** Never waits: what a collector does not take stays in its queue, and the oldest of that is dropped and counted. */
  publish(topic: string, head: Head, rows: Buffer, who: Who): void {
    const frames = encode(topic, head, rows, who)
    this.#messages++
    this.#rows += head.layout ? rows.length / head.layout.size : 0
    for (const connection of this.#connections) {
      connection.queue.push({ window: head.window, frames })
      connection.wake()
    }
  }

  /** What was published since the start, messages that no collector will get, and what waits. */
  stats(): { messages: number; rows: number; dropped: number; waiting: number; bytes: number } {
    const queues = this.#connections.map(connection => connection.queue)
    const sum = (of: (queue: Queue) => number) => queues.reduce((total, queue) => total + of(queue), 0)
    return {
      messages: this.#messages,
      rows: this.#rows,
      dropped: sum(q => q.dropped),
      waiting: sum(q => q.length),
      bytes: sum(q => q.bytes),
    }
  }

  /** Wait until all that can be acknowledged is, at most so long, then disconnect. */
  async close(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    while (this.stats().waiting > 0 && performance.now() < until) await sleep(20)
    await Promise.all(this.#connections.map(connection => connection.close()))
  }
}
