/**
 * To collectors by way of a NATS server: a window is acknowledged when the stream has stored it, on the quorum of its servers.
 *
 * One window at a time, so that those of a host stand in the stream in their order. An attempt that was not answered is made
 * again with the same message ids: the stream keeps one of them.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Logger } from 'pino'
import type { Identity } from '../../../../wire/message.ts'
import { causeOf, connectNats } from '../../../../wire/nats/connect.ts'
import { inboxOf, tokenOf } from '../../../../wire/nats/names.ts'
import { ThrottledLog } from '../../../../wire/process/throttled_log.ts'
import { Backoff } from '../backoff.ts'
import type { Feed } from '../connection.ts'
import type { Trust } from '../trust.ts'
import { Assembly, type Window } from './assembly.ts'
import type { Publishing } from './publishing.ts'

const LEAST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000
/** Between attempts to publish one window. */
const MAX_AGAIN_MS = 30_000

export class StreamConnection {
  readonly #endpoint: string
  readonly #feed: Feed
  readonly #token: string
  readonly #trust: Trust
  readonly #log: Logger
  readonly #throttled: ThrottledLog
  readonly #closing = new AbortController()
  readonly #assembly = new Assembly()
  /** Aborted when the connection that it was published on is gone. */
  #turn = new AbortController()
  #isUp = false
  #wake: () => void = () => {}
  readonly #done: Promise<void>

  constructor(endpoint: string, feed: Feed, { host }: Identity, trust: Trust, log: Logger) {
    this.#endpoint = endpoint
    this.#feed = feed
    this.#token = tokenOf(host)
    this.#trust = trust
    this.#log = log.child({ collector: endpoint })
    this.#throttled = new ThrottledLog(this.#log)
    this.#done = this.#run()
  }

  wake(): void {
    this.#wake()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#turn.abort()
    this.#wake()
    await this.#done
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(LEAST_PAUSE_MS, MAX_PAUSE_MS)
    while (!this.#closed) {
      const connection = await this.#connect()
      if (connection) {
        backoff.reset()
        await this.#use(connection)
      } else await this.#pause(backoff.next(), this.#closing)
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    try {
      const [name, inboxPrefix] = [`sockflux probe ${this.#token}`, inboxOf(this.#token)]
      return await connectNats(this.#endpoint, this.#trust.nats, { name, inboxPrefix })
    } catch (error) {
      this.#throttled.warn(
        'away',
        `no NATS server takes us (${causeOf(error)}): start it, or correct --collector; what it should have waits, up to --queue-size`,
      )
      return undefined
    }
  }

  async #use(connection: NatsConnection): Promise<void> {
    this.#log.info({ server: connection.getServer() }, 'connected')
    this.#begin()
    const watching = this.#watch(connection)
    const { Publishing } = await import('./publishing.ts')
    const publishing = new Publishing(connection, this.#endpoint, this.#token)
    let isOver = this.#closed
    const over = connection.closed().then(() => {
      isOver = true
      this.#end()
    })
    while (!(isOver || this.#closed)) await this.#next(publishing)
    await connection.close()
    await Promise.all([over, watching])
  }

  /** Its client comes back by itself: with each connection we begin anew, as ids tell what is there already. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#end()
      else if (status.type === 'reconnect') this.#begin()
      else if (status.type === 'error')
        this.#throttled.warn('refused', `the NATS server: ${status.error.message}`)
    }
  }

  #begin(): void {
    this.#turn = new AbortController()
    this.#assembly.clear()
    this.#feed.begin()
    this.#isUp = true
    this.#feed.reached(true)
    this.#wake()
  }

  #end(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#feed.reached(false)
    if (!this.#closed) this.#throttled.warn('lost', 'connection lost, connecting again')
    this.#turn.abort()
    this.#wake()
  }

  async #next(publishing: Publishing): Promise<void> {
    const frames = this.#isUp ? this.#feed.next() : undefined
    if (!frames) {
      await new Promise<void>(resolve => (this.#wake = resolve))
      return
    }
    const window = this.#assembly.add(frames)
    if (window) await this.#publish(window, publishing)
  }

  async #publish(window: Window, publishing: Publishing): Promise<void> {
    const turn = this.#turn
    const again = new Backoff(LEAST_PAUSE_MS, MAX_AGAIN_MS)
    while (!turn.signal.aborted) {
      try {
        await publishing.publish(window)
        if (!turn.signal.aborted) this.#feed.acknowledged(window.key)
        return
      } catch (error) {
        if (turn.signal.aborted) return
        this.#throttled.warn(
          'unstored',
          `the stream did not take a window (${causeOf(error)}): it is published again, with the same id`,
        )
        await this.#pause(again.next(), turn)
      }
    }
  }

  async #pause(ms: number, until: AbortController): Promise<void> {
    await sleep(ms, undefined, { signal: until.signal }).catch(() => {})
  }
}
