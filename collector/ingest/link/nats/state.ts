/**
 * What is written down of a partition. Only who read or wrote the last one can write the next: one who lost the partition without
 * knowing it cannot.
 */

import type { KV } from '@nats-io/kv'
import { type Head, headIn, headKey, purgePieces, readPieces, VERSION, writePieces } from './pieces.ts'
import type { Saved } from './positions.ts'
import { Snapshots } from './snapshots.ts'

export class State {
  readonly #bucket: KV
  readonly #partition: number
  readonly #by: string
  readonly #snapshots: Snapshots
  #revision = 0
  #head: Head | undefined

  private constructor(bucket: KV, partition: number, by: string, keepHours: number) {
    this.#bucket = bucket
    this.#partition = partition
    this.#by = by
    this.#snapshots = new Snapshots(bucket, partition, keepHours)
  }

  /**
   * Takes it over: who had it before cannot write any more.
   * @param keepHours how long windows are in the stream
   * @returns what is written down; undefined when nothing is, with the reason when it cannot be read
   */
  static async open(
    bucket: KV,
    partition: number,
    by: string,
    keepHours = Number.POSITIVE_INFINITY,
  ): Promise<{ state: State; saved: Saved | undefined; why: string | undefined }> {
    const state = new State(bucket, partition, by, keepHours)
    const entry = await bucket.get(headKey(partition))
    state.#revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { state, saved: undefined, why: undefined }
    try {
      const head = headIn(entry.json())
      state.#head = head
      await state.#claim(head)
      return { state, saved: await readPieces(bucket, partition, head), why: undefined }
    } catch (error) {
      return { state, saved: undefined, why: (error as Error).message }
    }
  }

  /** @throws when another collector has taken the partition, or the server does not answer */
  async write(saved: Saved): Promise<void> {
    const nowMs = Date.now()
    const isKept = await this.#snapshots.isDue(nowMs)
    const generation = `${this.#by}-${this.#revision}`
    const pieces = await writePieces(this.#bucket, this.#partition, generation, saved)
    const before = this.#head
    const head = { version: VERSION, by: this.#by, generation, pieces, isKept }
    await this.#claim(head)
    if (isKept) await this.#snapshots.keep(head, nowMs)
    if (before && !before.isKept) await purgePieces(this.#bucket, this.#partition, before)
  }

  async #claim(head: Head): Promise<void> {
    const value = JSON.stringify({ ...head, by: this.#by })
    this.#revision = await this.#bucket.put(headKey(this.#partition), value, { previousSeq: this.#revision })
    this.#head = head
  }
}
