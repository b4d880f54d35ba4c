/** Sends what waits, over one connection after another; while there is none it waits, and the oldest goes when it is too much. */

import { setTimeout as wait } from 'node:timers/promises'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import type { Connection } from './connection.ts'
import type { Speaker } from './speaker.ts'
import { type Encoded, Waiting } from './waiting.ts'

const FIRST_DELAY_MS = 1000
const LAST_DELAY_MS = 30_000
/** Templates are sent again, at most so much later than they should be. */
const AGAIN_MS = 1000
/** A new stream has no record for so long: who refuses our certificate, or has nobody behind it, says so after the handshake. */
const SETTLE_MS = 500

export interface SenderOptions {
  /** For the log: `ipfix 192.0.2.7:4739`. */
  readonly name: string
  /** Bytes that may wait. */
  readonly maxBytes: number
  /** Datagrams in a row, then a pause: who receives them has a buffer, and nobody tells when it is full. undefined: a stream. */
  readonly burst: { readonly messages: number; readonly pauseMs: number } | undefined
  readonly firstDelayMs?: number
}

export class Sender {
  readonly counters = { records: 0, messages: 0, connections: 0 }
  readonly waiting: Waiting
  readonly #options: SenderOptions
  readonly #open: (signal: AbortSignal) => Promise<Connection>
  readonly #speaker: Speaker
  readonly #log: Pick<ThrottledLog, 'warn'>
  #connection: Connection | undefined
  #wake: (() => void) | undefined
  #stopping = new AbortController()
  #running: Promise<void> | undefined
  /** Pieces of this connection. */
  #pieces = 0

  constructor(
    options: SenderOptions,
    open: (signal: AbortSignal) => Promise<Connection>,
    speaker: Speaker,
    log: Pick<ThrottledLog, 'warn'>,
  ) {
    this.waiting = new Waiting(options.maxBytes)
    this.#options = options
    this.#open = open
    this.#speaker = speaker
    this.#log = log
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  start(): void {
    this.#running = this.#run()
  }

  add(entry: Encoded): void {
    this.waiting.add(entry)
    this.#wake?.()
  }

  /** Sends what waits as long as there is a connection and time; the rest is left, and said. */
  async close(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    while (this.#connection && this.waiting.size > 0 && performance.now() < until) await wait(10)
    this.#stopping.abort()
    this.#wake?.()
    await this.#running
    const { size } = this.waiting
    const { name } = this.#options
    if (size > 0) this.#log.warn('ipfix_closed', `${name}: ${size} records were not sent`, name)
  }

  async #run(): Promise<void> {
    let failures = 0
    const { signal } = this.#stopping
    const { name, firstDelayMs = FIRST_DELAY_MS } = this.#options
    while (!signal.aborted) {
      let since = Number.POSITIVE_INFINITY
      try {
        const connection = await this.#open(signal)
        since = performance.now()
        await this.#serve(connection, signal)
      } catch (error) {
        if (signal.aborted) return
        // any listener accepts templates: only a connection that lasts resets the backoff
        if (performance.now() - since > LAST_DELAY_MS) failures = 0
        const delay = Math.min(LAST_DELAY_MS, firstDelayMs * 2 ** failures++)
        this.#log.warn(
          'ipfix',
          `${name}: ${(error as Error).message}; trying again, ${this.waiting.size} records wait`,
          name,
        )
        // half fixed, half jitter: collectors that lost one server together must not retry together
        await wait(delay / 2 + (Math.random() * delay) / 2, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** @throws when the connection fails */
  async #serve(connection: Connection, signal: AbortSignal): Promise<void> {
    this.#pieces = 0
    this.#connection = connection
    this.counters.connections++
    connection.onFailure = () => this.#wake?.()
    // a collector that does not read would hold up our end for as long as it likes
    const abandon = () => connection.abandon()
    signal.addEventListener('abort', abandon)
    try {
      await this.#send(connection, this.#speaker.greet(now()))
      if (!this.#options.burst) await this.#settle(connection, signal)
      for (;;) {
        if (connection.failure) throw connection.failure
        const pieces = [...this.#speaker.again(now()), ...this.#speaker.next(this.waiting, now())]
        if (pieces.length > 0) await this.#send(connection, pieces)
        else if (signal.aborted) return
        else await this.#woken(AGAIN_MS)
        if (signal.aborted) return
      }
    } finally {
      this.#connection = undefined
      signal.removeEventListener('abort', abandon)
      await connection.close()
    }
  }

  async #send(connection: Connection, pieces: ReturnType<Speaker['next']>): Promise<void> {
    const { burst } = this.#options
    for (const [at, { bytes, records, sent }] of pieces.entries()) {
      try {
        await connection.send(bytes)
      } catch (error) {
        this.waiting.putBack(pieces.slice(at).flatMap(({ records }) => records))
        throw error
      }
      this.counters.messages++
      this.counters.records += records.length
      sent?.()
      if (burst && ++this.#pieces % burst.messages === 0) await wait(burst.pauseMs)
    }
  }

  async #settle(connection: Connection, signal: AbortSignal): Promise<void> {
    const until = performance.now() + SETTLE_MS
    let left = SETTLE_MS
    while (left > 0 && !connection.failure && !signal.aborted) {
      await this.#woken(left)
      left = until - performance.now()
    }
  }

  /** By a record, a failure or the end; or after so long. */
  async #woken(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }
}

const now = (): number => Math.floor(Date.now() / 1000)
