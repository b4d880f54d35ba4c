/**
 * One collector: a DEALER, connected.
 *
 * ZeroMQ gives a message up silently when its connection dies under it. So each connection gets a socket of its own, and
 * whoever feeds it is told and sends what is not acknowledged once more.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Dealer } from 'zeromq'
import { decodeAck } from '../../wire/ack.ts'
import type { Identity, WindowKey } from '../../wire/message.ts'
import { VersionError } from '../../wire/version.ts'

/** What one connection sends, and hears. */
export interface Feed {
  /** A new connection begins: what was sent on the last one may not have arrived. */
  begin(): void
  /** The collector is there, or is not there any more. */
  reached(isUp: boolean): void
  /** The next message, if there is one. */
  next(): Buffer[] | undefined
  /** The collector's sinks hold this window of this host, of whatever run. */
  acknowledged(key: WindowKey): void
}

/** So that a peer which vanished without a word is noticed. */
const HEARTBEAT_MS = 2000
const SILENT_MS = 10_000
/** Without a connection for so long, somebody should look; a collector that is restarted is back before. */
const AWAY_MS = 5000

export class Connection {
  readonly #endpoint: string
  readonly #feed: Feed
  readonly #identity: Identity
  readonly #log: Logger
  #socket: Dealer | undefined
  #isUp = false
  #closed = false
  #wake: () => void = () => {}
  readonly #done: Promise<unknown>

  constructor(endpoint: string, feed: Feed, identity: Identity, log: Logger) {
    this.#endpoint = endpoint
    this.#feed = feed
    this.#identity = identity
    this.#log = log.child({ collector: endpoint })
    this.#done = this.#run()
  }

  /** There may be something to send. */
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
      this.#feed.begin()
      const away = setTimeout(() => {
        this.#log.warn(
          'no collector answers: start it, or correct --collector; what it should have waits, up to --queue-size',
        )
      }, AWAY_MS)
      let lost = false
      socket.events.on('handshake', () => {
        clearTimeout(away)
        this.#log.info('connected')
        this.#reached(true)
      })
      socket.events.on('disconnect', () => {
        lost = true
        this.#reached(false)
        if (!socket.closed) socket.close()
      })
      socket.connect(this.#endpoint)
      await Promise.all([this.#send(socket, () => lost || this.#closed), this.#receive(socket)])
      clearTimeout(away)
      if (!socket.closed) socket.close()
      if (lost && !this.#closed) this.#log.warn('connection lost, connecting again')
      if (!this.#closed) await sleep(100)
    }
  }

  #reached(isUp: boolean): void {
    this.#isUp = isUp
    this.#feed.reached(isUp)
    this.#wake()
  }

  async #send(socket: Dealer, over: () => boolean): Promise<void> {
    while (!over()) {
      const frames = this.#isUp ? this.#feed.next() : undefined
      if (frames) await socket.send(frames).catch(() => {})
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
      if (key.host === this.#identity.host) this.#feed.acknowledged(key)
    } catch (error) {
      if (error instanceof VersionError) {
        this.#log.warn(`${error.message}; what it should have waits, up to --queue-size`)
        return
      }
      this.#log.warn({ error: (error as Error).message }, 'the collector sent no acknowledgement')
    }
  }
}
