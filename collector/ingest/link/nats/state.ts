/**
 * What is written down of a partition, in a bucket: a value that names the pieces, and the pieces, as a value has at most 1 MiB. Only who
 * read or wrote the last one can write the next: one who lost the partition without knowing it cannot.
 */

import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { KV } from '@nats-io/kv'
import type { Saved } from './positions.ts'

const VERSION = 1
const PIECE_BYTES = 500_000
const MAX_BYTES = 512 * 2 ** 20
const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const params = { [constants.ZSTD_c_compressionLevel]: 1 }

interface Head {
  readonly version: number
  /** Collector that wrote it. */
  readonly by: string
  /** Of the pieces, in their keys. */
  readonly generation: string
  readonly pieces: number
}

export class State {
  readonly #bucket: KV
  readonly #partition: number
  readonly #by: string
  #revision = 0
  #head: Head | undefined

  private constructor(bucket: KV, partition: number, by: string) {
    this.#bucket = bucket
    this.#partition = partition
    this.#by = by
  }

  /**
   * Takes it over: who had it before cannot write any more.
   * @returns what is written down; undefined when nothing is, with the reason when it cannot be read
   */
  static async open(
    bucket: KV,
    partition: number,
    by: string,
  ): Promise<{ state: State; saved: Saved | undefined; why: string | undefined }> {
    const state = new State(bucket, partition, by)
    const entry = await bucket.get(state.#key)
    state.#revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { state, saved: undefined, why: undefined }
    try {
      const head = entry.json<Head>()
      if (head.version !== VERSION)
        throw new Error(`it is of version ${head.version}, this collector knows ${VERSION}`)
      state.#head = head
      await state.#claim(head)
      return { state, saved: await state.#read(head), why: undefined }
    } catch (error) {
      return { state, saved: undefined, why: (error as Error).message }
    }
  }

  /** @throws when another collector has taken the partition, or the server does not answer */
  async write(saved: Saved): Promise<void> {
    const bytes = await compress(JSON.stringify(saved), { params })
    const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES))
    const head = { version: VERSION, by: this.#by, generation: `${this.#by}-${this.#revision}`, pieces }
    for (let index = 0; index < pieces; index++)
      await this.#bucket.put(
        pieceKey(this.#key, head.generation, index),
        bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
      )
    const before = this.#head
    await this.#claim(head)
    for (let index = 0; index < (before?.pieces ?? 0); index++)
      await this.#bucket.purge(pieceKey(this.#key, before!.generation, index))
  }

  get #key(): string {
    return `p.${this.#partition}`
  }

  async #claim(head: Head): Promise<void> {
    const value = JSON.stringify({ ...head, by: this.#by })
    this.#revision = await this.#bucket.put(this.#key, value, { previousSeq: this.#revision })
    this.#head = head
  }

  async #read({ generation, pieces }: Head): Promise<Saved> {
    const read: Uint8Array[] = []
    for (let index = 0; index < pieces; index++) {
      const entry = await this.#bucket.get(pieceKey(this.#key, generation, index))
      if (entry?.operation !== 'PUT') throw new Error(`piece ${index + 1} of ${pieces} is not there`)
      read.push(entry.value)
    }
    const text = await decompress(Buffer.concat(read), { maxOutputLength: MAX_BYTES })
    return JSON.parse(text.toString()) as Saved
  }
}

const pieceKey = (key: string, generation: string, index: number): string => `${key}.${generation}.${index}`
