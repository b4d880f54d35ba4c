/**
 * One collector: a connected DEALER. It connects to one address at a time, as two connections would share the messages.
 *
 * ZeroMQ drops a message silently when its connection dies. So each connection gets a socket of its own, and its feed
 * sends again what is not acknowledged.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Dealer } from 'zeromq'
import { type Ack, decodeAck } from '../../../wire/ack.ts'
import { decodeReply } from '../../../wire/link/challenge.ts'
import type { Curve } from '../../../wire/link/curves.ts'
import type { Identity } from '../../../wire/message.ts'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { linkOf } from '../../../wire/settings/endpoint.ts'
import { VersionError } from '../../../wire/version.ts'
import { Backoff } from './backoff.ts'
import { type Dialled, dial, type Way } from './dial.ts'
import { introduce } from './introduce.ts'
import type { Trust } from './trust.ts'
import { Ways } from './ways.ts'

/** What one connection sends and receives. */
export interface Feed {
  /** A new connection begins: messages of the last one may not have arrived. */
  begin(): void
  /** The collector is connected, or not any more. */
  reached(isUp: boolean): void
  /** The next message, if there is one. */
  next(): Buffer[] | undefined
  /** The collector's sinks have stored this window of this host, of any run; or it is lost there. */
  acknowledged(key: Ack): void
}

/** Without a connection for so long, the log says so; a collector that restarts is back earlier. */
const AWAY_MS = 5000
const LEAST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000
/** A peer that sends so many messages that are no acknowledgements is no collector. */
const MAX_STRANGE = 16
/** Files of keys are looked at so often: with new ones the probe connects again. */
const LOOK_MS = 5000
/** After a connection that lasted so long, the backoff starts small again. */
const SETTLED_MS = 10_000

export class Connection {
  readonly #found: Ways
  readonly #trust: Trust
  readonly #feed: Feed
  readonly #identity: Identity
  readonly #log: Logger
  readonly #throttled: ThrottledLog
  readonly #backoff = new Backoff(LEAST_PAUSE_MS, MAX_PAUSE_MS)
  readonly #closing = new AbortController()
  #dialled: Dialled | undefined
  #isUp = false
  /** The last connection was of use: it brought an acknowledgement, or lasted. */
  #wasUseful = true
  /** Messages on this connection that were no acknowledgements, since the last that was. */
  #strange = 0
  #away: NodeJS.Timeout | undefined
  #isAway = false
  #cause = ''
  /** The last collector that was reached does not take us. */
  #isDenied = false
  #wake: () => void = () => {}
  readonly #done: Promise<unknown>

  constructor(endpoint: string, feed: Feed, identity: Identity, trust: Trust, log: Logger) {
    this.#found = new Ways(linkOf(endpoint), trust)
    this.#trust = trust
    this.#feed = feed
    this.#identity = identity
    this.#log = log.child({ collector: endpoint })
    this.#throttled = new ThrottledLog(this.#log)
    this.#done = this.#run()
  }

  /** There may be something to send. */
  wake(): void {
    this.#wake()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake()
    this.#dialled?.close()
    await this.#done
    clearTimeout(this.#away)
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #run(): Promise<void> {
    this.#lose()
    while (!this.#closed) {
      for (const way of await this.#ways()) if (this.#closed || (await this.#try(way))) break
      if (this.#isAway) this.#sayAway()
      if (!this.#closed)
        await sleep(this.#backoff.next(), undefined, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  async #ways(): Promise<Way[]> {
    try {
      return await this.#found.next()
    } catch (error) {
      this.#cause = (error as Error).message
      return []
    }
  }

  /** @returns whether there was a connection; it has ended */
  async #try(way: Way): Promise<boolean> {
    const signature = way.curve && this.#trust.signature()
    const dialled = this.#dial(way)
    if (!dialled) return false
    this.#dialled = dialled
    const why = await dialled.ready
    const introduced: { token?: Buffer } | undefined =
      why === undefined && way.curve ? await this.#introduce(dialled, way.curve) : {}
    if (why === undefined) this.#found.led(way)
    else [this.#cause, this.#isDenied] = [why, false]
    if (why !== undefined || !introduced) {
      dialled.close()
      return why === undefined
    }
    const looking = setInterval(() => {
      if (signature !== undefined && signature !== this.#trust.signature()) dialled.close()
    }, LOOK_MS)
    await this.#use(dialled, introduced.token)
    clearInterval(looking)
    dialled.close()
    return true
  }

  async #introduce(dialled: Dialled, curve: Curve): Promise<{ token: Buffer } | undefined> {
    const introduced = await introduce(dialled, this.#identity.host, curve)
    this.#isDenied = 'why' in introduced
    if ('token' in introduced) return introduced
    this.#cause = introduced.why
    if (!this.#closed) this.#sayDenied(introduced.why)
    return undefined
  }

  #sayDenied(why: string): void {
    this.#throttled.warn(
      'denied',
      `the collector does not take our windows (${why}); what it should have waits, up to --queue-size`,
    )
  }

  #dial(way: Way): Dialled | undefined {
    try {
      return dial(way)
    } catch (error) {
      this.#cause = `cannot connect to ${way.address}: ${(error as Error).message}`
      this.#throttled.warn('impossible', `${this.#cause}; we try again`)
      return undefined
    }
  }

  async #use(dialled: Dialled, token?: Buffer): Promise<void> {
    const { socket, ended } = dialled
    const since = performance.now()
    const isLogged = this.#wasUseful
    let lost = false
    this.#wasUseful = false
    this.#strange = 0
    this.#feed.begin()
    clearTimeout(this.#away)
    this.#isAway = false
    if (isLogged) this.#log.info('connected')
    this.#reached(true)
    void ended.then(() => {
      lost = true
      this.#reached(false)
      dialled.close()
    })
    await Promise.all([this.#send(socket, token, () => lost || this.#closed), this.#receive(dialled)])
    this.#wasUseful ||= performance.now() - since > SETTLED_MS
    if (this.#wasUseful) this.#backoff.reset()
    if (this.#closed) return
    if (isLogged && this.#wasUseful) this.#log.warn('connection lost, connecting again')
    else this.#throttled.warn('lost', 'connection lost, connecting again')
    this.#lose()
  }

  #lose(): void {
    this.#away = setTimeout(() => {
      this.#isAway = true
      this.#sayAway()
    }, AWAY_MS)
  }

  #sayAway(): void {
    if (this.#isDenied) {
      this.#sayDenied(this.#cause)
      return
    }
    const cause = this.#cause && ` (${this.#cause})`
    this.#throttled.warn(
      'away',
      `no collector answers: start it, or correct --collector${cause}; what it should have waits, up to --queue-size`,
    )
  }

  #reached(isUp: boolean): void {
    this.#isUp = isUp
    this.#feed.reached(isUp)
    this.#wake()
  }

  async #send(socket: Dealer, token: Buffer | undefined, over: () => boolean): Promise<void> {
    while (!over()) {
      const frames = this.#isUp ? this.#feed.next() : undefined
      if (frames) await socket.send(token ? [token, ...frames] : frames).catch(() => {})
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  async #receive(dialled: Dialled): Promise<void> {
    try {
      for await (const frames of dialled.socket) this.#acknowledged(frames, dialled)
    } catch {
      // the socket was closed
    }
  }

  #acknowledged(frames: Buffer[], dialled: Dialled): void {
    try {
      const reply = decodeReply(frames)
      if (reply && 'denied' in reply) {
        this.#sayDenied(reply.denied)
        dialled.close()
        return
      }
      const key = decodeAck(frames)
      this.#strange = 0
      this.#wasUseful = true
      if (key.host === this.#identity.host) this.#feed.acknowledged(key)
    } catch (error) {
      if (error instanceof VersionError)
        this.#throttled.warn('version', `${error.message}; what it should have waits, up to --queue-size`)
      else
        this.#throttled.warn('strange', `the collector sent no acknowledgement (${(error as Error).message})`)
      if (++this.#strange >= MAX_STRANGE) dialled.close()
    }
  }
}
