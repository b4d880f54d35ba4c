/**
 * What was known of a partition, kept once an hour for as long as the stream keeps windows: a replay begins there, so that
 * counters come to what they were. Each is a head beside the present one, with the same pieces.
 */

import type { KV } from '@nats-io/kv'
import { generationOf, type Head, headIn, headKey, readPieces } from './pieces.ts'
import type { Saved } from './positions.ts'

const HOUR_MS = 3_600_000
const keyOf = (partition: number, hour: number): string => `s.${partition}.${hour}`

export class Snapshots {
  readonly #bucket: KV
  readonly #partition: number
  readonly #keepHours: number
  /** The last one that is there, as far as we know. */
  #hour = -1

  /** @param keepHours Infinity: for ever */
  constructor(bucket: KV, partition: number, keepHours: number) {
    this.#bucket = bucket
    this.#partition = partition
    this.#keepHours = keepHours
  }

  /** @returns whether this hour has none yet */
  async isDue(nowMs: number): Promise<boolean> {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (hour === this.#hour) return false
    const entry = await this.#bucket.get(keyOf(this.#partition, hour))
    if (entry?.operation === 'PUT') this.#hour = hour
    return this.#hour !== hour
  }

  /** Keeps it, and removes what is too old. */
  async keep(head: Head, nowMs: number): Promise<void> {
    const hour = Math.floor(nowMs / HOUR_MS)
    await this.#bucket.put(keyOf(this.#partition, hour), JSON.stringify(head))
    this.#hour = hour
    await this.#sweep(hour, head.generation)
  }

  /** The newest of those that are too old stays: it is what was known when the oldest window came. */
  async #sweep(now: number, generation: string): Promise<void> {
    const hours = await hoursOf(this.#bucket, this.#partition)
    const old = hours.filter(hour => hour < now - this.#keepHours).slice(0, -1)
    for (const hour of old) await this.#bucket.purge(keyOf(this.#partition, hour))
    const kept = new Set([generation])
    for (const hour of hours) {
      const entry = old.includes(hour) ? null : await this.#bucket.get(keyOf(this.#partition, hour))
      if (entry?.operation === 'PUT') kept.add(entry.json<Head>().generation)
    }
    for (const key of await all(await this.#bucket.keys(`${headKey(this.#partition)}.>`))) {
      const piece = generationOf(key)
      if (piece !== undefined && !kept.has(piece)) await this.#bucket.purge(key)
    }
  }
}

/**
 * @param beforeMs since the epoch
 * @returns what was known last before that, or of a later beginning; undefined when nothing is kept of that time
 * @throws when it cannot be read
 */
export async function snapshotBefore(
  bucket: KV,
  partition: number,
  beforeMs: number,
): Promise<Saved | undefined> {
  let oldest: Head | undefined
  for (const hour of (await hoursOf(bucket, partition)).reverse()) {
    const entry = await bucket.get(keyOf(partition, hour))
    if (entry?.operation !== 'PUT') continue
    oldest = headIn(entry.json())
    if (entry.created.getTime() <= beforeMs) return readPieces(bucket, partition, oldest)
  }
  const first = oldest && (await readPieces(bucket, partition, oldest))
  // the first collector of the partition knew no host
  return first && Object.keys(first.hosts).length === 0 ? first : undefined
}

/** Oldest first. */
async function hoursOf(bucket: KV, partition: number): Promise<number[]> {
  const keys = await all(await bucket.keys(`s.${partition}.*`))
  return keys.map(key => Number(key.split('.')[2])).sort((a, b) => a - b)
}

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const key of keys) found.push(key)
  return found
}
