/** All endpoints: messages in, windows on, answers back. */

import type { WindowKey } from '../../wire/message.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import { linkOf } from '../../wire/settings/endpoint.ts'
import { VersionError } from '../../wire/version.ts'
import type { Counted } from '../counters.ts'
import { afterAll, type Settled } from '../settled.ts'
import { Acknowledger } from './acknowledge.ts'
import type { Folded } from './folded.ts'
import type { Ingest } from './ingest.ts'
import type { Access, Door } from './link/access.ts'
import type { Gate } from './link/gate.ts'
import type { StreamSide } from './link/nats/listen.ts'
import type { Incoming, Transport } from './link/transport.ts'
import { openTransport } from './link/transports.ts'

/** Where windows go. */
export interface Next {
  /** @param settled to be called when every sink has settled the window, or when it is not to be stored */
  /** @param border called when what is before the window has been sampled, and nothing of it */
  write(window: Folded, ifid: string, settled: Settled, border?: () => void): void
  /** Windows before this one are settled, `elsewhere`: by another collector. */
  settled(key: WindowKey, elsewhere: boolean): void
}

interface Listener {
  readonly ifid: string
  readonly door: Door
  readonly transport: Transport
  readonly acknowledger: Acknowledger
}

export class Listeners implements Counted {
  isListening = false
  readonly #ingest: Ingest
  readonly #next: Next
  readonly #gate: Gate
  readonly #access: Access
  readonly #side: StreamSide
  readonly #log: ThrottledLog
  #listeners: readonly Listener[] = []
  #receiving: Promise<unknown> = Promise.resolve()

  constructor(
    ingest: Ingest,
    next: Next,
    gate: Gate,
    access: Access,
    side: Omit<StreamSide, 'log'>,
    log: ThrottledLog,
  ) {
    this.#side = { ...side, log }
    this.#ingest = ingest
    this.#next = next
    this.#gate = gate
    this.#access = access
    this.#log = log
  }

  /**
   * @param endpoints each with `,ifid=N`, or with its position for that
   * @throws with the one that cannot be bound
   */
  async open(endpoints: readonly string[]): Promise<void> {
    const listeners: Listener[] = []
    for (const [index, listening] of endpoints.entries()) {
      const link = linkOf(listening)
      const door = this.#access.door(link)
      const transport = await openTransport(link, this.#gate, door, this.#side)
      const ifid = link.ifid ?? String(index)
      listeners.push({ ifid, door, transport, acknowledger: new Acknowledger(transport) })
    }
    this.#listeners = listeners
    this.isListening = true
    this.#receiving = Promise.all(
      listeners.map(listener =>
        this.#receive(listener).catch((error: Error) => {
          if (this.isListening) throw error // else it was closed under a receive
        }),
      ),
    )
  }

  losses(): Record<string, number> {
    return Object.assign({}, ...this.#listeners.map(({ transport }) => transport.losses?.()))
  }

  view() {
    const streams = this.#listeners.flatMap(({ transport }) => transport.view?.() ?? [])
    return streams.length > 0 ? { streams } : {}
  }

  /** Reads nothing more. What is not acknowledged is sent again to the next collector. */
  stop(): void {
    this.isListening = false
  }

  /** Sends the answers that are due, then disconnects. */
  async close(): Promise<void> {
    this.stop()
    await Promise.all(this.#listeners.map(({ acknowledger }) => acknowledger.flush()))
    await Promise.all(this.#listeners.map(({ transport }) => transport.close()))
    await this.#access.close()
    await this.#receiving
  }

  async #receive(listener: Listener): Promise<void> {
    for await (const message of listener.transport.messages) {
      if (!this.isListening) break
      try {
        this.#take(message, listener)
      } catch (error) {
        message.settled?.()
        if (error instanceof VersionError) listener.acknowledger.refuse(message.from)
        const reason = error instanceof VersionError ? 'version' : 'malformed'
        this.#log.warn(reason, `a message was refused: ${(error as Error).message}`)
      }
      message.done()
    }
  }

  #take(message: Incoming, { ifid, door, acknowledger }: Listener): void {
    const { from } = message
    const { frames, speaker, reply } = door.hear(from, message.frames)
    if (reply) acknowledger.say(from, reply)
    if (!frames) return
    const outcome = this.#ingest.receive(frames, speaker, from.toString('latin1'))
    const { key, version, folded, repeatedEnd, refused, settled, clocks } = outcome
    acknowledger.seen(key, from, version)
    if (settled) this.#next.settled(key, settled.elsewhere)
    if (message.settled) this.#settle(message, folded, ifid)
    else for (const window of folded) this.#next.write(window, ifid, acknowledger.expect(window.key))
    if (repeatedEnd && !message.settled) acknowledger.repeat(key)
    for (const { reason, message, host } of clocks ?? []) this.#log.warn(reason, message, host)
    if (refused !== undefined) this.#log.warn('malformed', `rows were refused: ${refused}`)
  }

  /** For a transport that keeps windows itself. */
  #settle({ settled, border }: Incoming, folded: readonly Folded[], ifid: string): void {
    const [first, ...others] = folded
    if (!first) {
      settled?.()
      return
    }
    const settledOne = afterAll(folded.length, settled ?? (() => {}))
    this.#next.write(first, ifid, settledOne, border)
    for (const window of others) this.#next.write(window, ifid, settledOne)
  }
}
