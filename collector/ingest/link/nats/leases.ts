/**
 * Who works on which partition. Each collector says that it is there, and holds a lease for each of its partitions: keys that the
 * server forgets when nobody renews them. The partitions are those for which it ranks first among the collectors that are
 * there, so that one that comes or goes moves only what it gets or had.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { KV, KvWatchEntry } from '@nats-io/kv'
import type { QueuedIterator } from '@nats-io/transport-node'
import { ranked } from '../../../../wire/rendezvous.ts'

/** So often in the time of a lease it is renewed. */
const BEATS = 4
/** Of the time of a lease, after the last renewal: then it may be gone, and who had it works no more. */
const SAFE = 0.75

const LIVE = 'live.'
const leaseKey = (partition: number): string => `p.${partition}`

export interface Partitioned {
  /** It is ours, unless it was lost meanwhile: begin to work. */
  take(partition: number, isOurs: () => boolean): Promise<void>
  /** Another one is to have it: end the work, and write down how far it has come. */
  release(partition: number): Promise<void>
  /** It is ours no more. */
  lose(partition: number): void
  /** For the log, and counted. */
  failed(error: unknown): void
}

interface Lease {
  revision: number
  renewedMs: number
  state: 'taking' | 'held' | 'releasing'
}

export class Leases {
  /** Partitions that were taken since the start, and lost without being released. */
  taken = 0
  lost = 0
  readonly #bucket: KV
  readonly #id: string
  readonly #partitions: number
  readonly #ttlMs: number
  readonly #parts: Partitioned
  readonly #now: () => number
  /** When each key was seen last, in milliseconds that only rise. */
  readonly #seen = new Map<string, number>()
  readonly #held = new Map<number, Lease>()
  #watching: QueuedIterator<KvWatchEntry> | undefined
  #timer: NodeJS.Timeout | undefined
  #beats = 0
  #beating: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(
    bucket: KV,
    { id, partitions, ttlMs }: { readonly id: string; readonly partitions: number; readonly ttlMs: number },
    parts: Partitioned,
    now: () => number = () => performance.now(),
  ) {
    this.#bucket = bucket
    this.#id = id
    this.#partitions = partitions
    this.#ttlMs = ttlMs
    this.#parts = parts
    this.#now = now
  }

  get held(): readonly number[] {
    return [...this.#held].filter(([, { state }]) => state === 'held').map(([partition]) => partition)
  }

  /** Collectors that are there. */
  get live(): string[] {
    const since = this.#now() - this.#ttlMs
    const others = [...this.#seen].filter(([key, at]) => key.startsWith(LIVE) && at > since)
    return [...new Set([this.#id, ...others.map(([key]) => key.slice(LIVE.length))])]
  }

  async open(): Promise<void> {
    this.#watching = await this.#bucket.watch()
    void this.#watch()
    this.#again(0)
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#beating
    await Promise.all([...this.#held.keys()].map(partition => this.#giveBack(partition)))
    await this.#bucket.purge(LIVE + this.#id).catch(() => {})
    this.#watching?.stop()
  }

  /** Another one has been seen to have it. */
  drop(partition: number): void {
    this.#lose(partition)
  }

  /** The client ends it when the server has lost its consumer. */
  async #watch(): Promise<void> {
    while (!this.#isClosed)
      try {
        for await (const { key, operation } of this.#watching ?? [])
          if (operation === 'PUT') this.#seen.set(key, this.#now())
          else this.#seen.delete(key)
        if (!this.#isClosed) this.#watching = await this.#bucket.watch()
      } catch (error) {
        this.#parts.failed(error)
        await sleep(this.#ttlMs)
      }
  }

  #again(ms: number): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat()
        .catch(error => this.#parts.failed(error))
        .finally(() => this.#again(this.#ttlMs / BEATS))
    }, ms)
  }

  async #beat(): Promise<void> {
    for (const [partition, { renewedMs, state }] of this.#held)
      if (state !== 'taking' && this.#now() - renewedMs > SAFE * this.#ttlMs) this.#lose(partition)
    await this.#bucket.put(LIVE + this.#id, '')
    // the others are to be heard first
    if (this.#beats++ === 0) return
    const live = this.live
    const mine = new Set<number>()
    for (let partition = 0; partition < this.#partitions; partition++)
      if (ranked(String(partition), live)[0] === this.#id) mine.add(partition)
    await Promise.all([
      ...[...this.#held].map(([partition, lease]) => this.#renew(partition, lease)),
      ...[...mine].map(partition => this.#take(partition)),
    ])
    for (const [partition, { state }] of this.#held)
      if (state === 'held' && !mine.has(partition)) void this.#giveBack(partition)
  }

  async #renew(partition: number, lease: Lease): Promise<void> {
    const began = this.#now()
    try {
      lease.revision = await this.#bucket.update(leaseKey(partition), this.#id, lease.revision)
      lease.renewedMs = began
    } catch (error) {
      if (isTaken(error)) this.#lose(partition)
      else throw error
    }
  }

  async #take(partition: number): Promise<void> {
    if (this.#held.has(partition)) return
    const seen = this.#seen.get(leaseKey(partition))
    if (seen !== undefined && this.#now() - seen < this.#ttlMs) return
    const began = this.#now()
    let revision: number
    try {
      revision = await this.#bucket.create(leaseKey(partition), this.#id)
    } catch (error) {
      if (isTaken(error)) return // the server has not forgotten it yet, or another one was faster
      throw error
    }
    const lease: Lease = { revision, renewedMs: began, state: 'taking' }
    this.#held.set(partition, lease)
    this.taken++
    void this.#begin(partition, lease)
  }

  async #begin(partition: number, lease: Lease): Promise<void> {
    try {
      await this.#parts.take(partition, () => this.#held.get(partition) === lease)
      if (lease.state === 'taking') lease.state = 'held'
    } catch (error) {
      this.#parts.failed(error)
      await this.#giveBack(partition)
    }
  }

  #lose(partition: number): void {
    if (!this.#held.delete(partition)) return
    this.lost++
    this.#parts.lose(partition)
  }

  async #giveBack(partition: number): Promise<void> {
    const lease = this.#held.get(partition)
    if (!lease || lease.state === 'releasing') return
    lease.state = 'releasing'
    try {
      await this.#parts.release(partition)
      // another one may have it already: only our own revision is deleted
      if (this.#held.delete(partition))
        await this.#bucket.purge(leaseKey(partition), { previousSeq: lease.revision })
    } catch (error) {
      this.#held.delete(partition)
      if (!isTaken(error)) this.#parts.failed(error)
    }
  }
}

/** The server has a later revision. */
export const isTaken = (error: unknown): boolean =>
  /wrong last sequence/i.test((error as Error | undefined)?.message ?? '')
