/** Windows out of the stream of a NATS server, of the partitions that are ours. */

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { causeOf, connectNats, type NatsAccess } from '../../../../wire/nats/connect.ts'
import { LEASES, PARTITIONS_KEY, STATES, STREAM, tokenOf } from '../../../../wire/nats/names.ts'
import type { ThrottledLog } from '../../../../wire/process/throttled_log.ts'
import type { Incoming, Transport } from '../transport.ts'
import { Channel } from './channel.ts'
import { isTaken, Leases, type Partitioned } from './leases.ts'
import { type Counts, Partition, type Working } from './partition.ts'
import type { Memories } from './positions.ts'

export interface StreamSide {
  readonly access: NatsAccess
  readonly memories: Memories
  /** The sinks have no room: what comes waits in the stream. */
  readonly isFull: () => boolean
  readonly log: ThrottledLog
}

const GROUP = 'sockflux'
const AGAIN_MS = 2000
const ROOM_MS = 50
const WRITE_MS = 500

/** Is there at once; the server may come later. */
export function listenToStream(endpoint: string, side: StreamSide): Transport {
  const listening = new Listening(endpoint, side)
  return {
    messages: listening.channel,
    send: async () => {}, // no reply is sent: each message is acknowledged to the stream
    close: () => listening.close(),
    view: () => listening.view(),
    losses: () => listening.losses(),
  }
}

class Listening {
  readonly channel = new Channel<Incoming>()
  readonly #endpoint: string
  readonly #side: StreamSide
  readonly #id = `${tokenOf(hostname()).replaceAll(/[^\w-]/g, '_')}-${randomBytes(4).toString('hex')}`
  readonly #parts = new Map<number, Partition>()
  readonly #counts: Counts = { torn: 0, discarded: 0, messages: 0, repeated: 0 }
  readonly #closing = new AbortController()
  #connection: NatsConnection | undefined
  #leases: Leases | undefined
  #writing: NodeJS.Timeout | undefined
  readonly #done: Promise<void>

  constructor(endpoint: string, side: StreamSide) {
    this.#endpoint = endpoint
    this.#side = side
    this.#done = this.#open()
  }

  view(): object {
    const { taken = 0, lost = 0, held = [], live = [] } = this.#leases ?? {}
    const { messages, repeated } = this.#counts
    const parts = [...this.#parts.values()]
    const waiting = parts.reduce((sum, { waiting }) => sum + waiting, 0)
    const behind = parts.reduce((sum, { behind }) => sum + behind, 0)
    const leases = { partitions: held.length, taken, lost_leases: lost, collectors: live.length }
    return { endpoint: this.#endpoint, messages, repeated, behind, waiting, ...leases }
  }

  losses(): Readonly<Record<string, number>> {
    const { torn, discarded } = this.#counts
    return { 'stream/torn': torn, 'stream/discarded': discarded }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
    clearInterval(this.#writing)
    await this.#leases?.close()
    this.channel.close()
    await this.#connection?.close()
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #open(): Promise<void> {
    while (!this.#closed)
      try {
        await this.#connect()
        return
      } catch (error) {
        this.#failed(error)
        await this.#connection?.close()
        this.#connection = undefined
        await sleep(AGAIN_MS, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
  }

  async #connect(): Promise<void> {
    const { access } = this.#side
    const client = { name: `sockflux collector ${this.#id}`, inboxPrefix: `_INBOX.${this.#id}` }
    const connection = await connectNats(this.#endpoint, access, client)
    this.#connection = connection
    const stream = jetstream(connection)
    const manager = await stream.jetstreamManager()
    const { config } = await manager.streams.info(STREAM).catch(missing)
    const buckets = new Kvm(stream)
    const [leases, states] = await Promise.all(
      [LEASES, STATES].map(name => buckets.open(name).catch(missing)),
    )
    const partitions = (await states!.get(PARTITIONS_KEY))?.json<number>()
    const { ttl } = await leases!.status().catch(missing)
    if (!partitions) missing()
    void this.#watch(connection)
    const working: Working = {
      ...{ connection, streaming: { stream, manager }, states: states!, memories: this.#side.memories },
      ...{ id: this.#id, group: GROUP, counts: this.#counts, keepHours: hoursOf(config.max_age) },
      put: (message, isWanted) => this.#put(message, isWanted),
      failed: error => this.#failed(error),
    }
    const how = { id: this.#id, partitions: partitions!, ttlMs: ttl }
    this.#leases = new Leases(leases!, how, this.#parted(working))
    await this.#leases.open()
    this.#writing = setInterval(() => this.#write(), WRITE_MS)
  }

  #parted(working: Working): Partitioned {
    return {
      take: async (number, isOurs) => {
        const part = await Partition.open(number, working)
        if (isOurs()) this.#parts.set(number, part)
        else part.lose()
      },
      release: async number => {
        const part = this.#parts.get(number)
        this.#parts.delete(number)
        await part?.release()
      },
      lose: number => this.#lose(number),
      failed: error => this.#failed(error),
    }
  }

  async #put(message: Incoming, isWanted: () => boolean): Promise<boolean> {
    while (this.#side.isFull() && isWanted() && !this.#closed) await sleep(ROOM_MS)
    return this.channel.put(message, isWanted)
  }

  #lose(number: number): void {
    const part = this.#parts.get(number)
    this.#parts.delete(number)
    part?.lose()
    this.#side.log.warn(
      'lease',
      `partition ${number} is another collector's now (our lease was not renewed in time); we leave it`,
    )
  }

  #write(): void {
    for (const [number, part] of this.#parts)
      part.write().catch(error => {
        if (isTaken(error) && this.#parts.get(number) === part) this.#leases?.drop(number)
        else this.#failed(error)
      })
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status())
      if (type === 'reconnect') for (const part of this.#parts.values()) part.again()
  }

  #failed(error: unknown): void {
    if (this.#closed) return
    this.#side.log.warn('nats', `${this.#endpoint}: ${causeOf(error)}; it is tried again`)
  }
}

/** @param ns 0: without a bound */
const hoursOf = (ns: number): number => (ns === 0 ? Number.POSITIVE_INFINITY : Math.ceil(ns / 3600e9))

function missing(error?: Error): never {
  if (error && !/not found|no responders|503/i.test(error.message)) throw error
  throw new Error('the server has no stream and buckets of Sockflux: run sockflux setup nats')
}
