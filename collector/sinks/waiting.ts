import { type Batch, weightOf } from '../batch.ts'
import type { Settled } from '../settled.ts'
import type { Amount } from './account.ts'

/** Failures of one batch alone, and the batches written before the first of them. */
export interface Alone {
  tries: number
  written: number
}

export interface Entry {
  readonly batch: Batch
  readonly samples: number
  /** Memory, in samples of the usual size. */
  readonly weight: number
  /** Nothing more is done when it was called before. */
  readonly done: Settled
  /** When it came, milliseconds. */
  readonly since: number
  /** It is on disk, too, by this name. */
  serial: number | undefined
  /** It is being written to the sink, or to disk: it cannot be dropped. */
  isWriting: boolean
  isSpooling: boolean
  /** Part of a request that failed: only batches of the same part are written together. */
  part: number
  alone: Alone | undefined
}

/** Most suspects. Host names come from outside; beyond this bound all hosts are trusted again. */
const MAX_SUSPECTS = 4096

/** The batches queued for a sink, oldest first; chooses the next ones. */
export class Waiting {
  /** Samples of all batches, and what they weigh. */
  samples = 0
  weight = 0
  readonly #entries: Entry[] = []
  readonly #weightOfHost = new Map<string, number>()
  /** Hosts with a batch that failed alone: their batches are written alone, and last. */
  readonly #suspects = new Set<string>()
  #parts = 0

  get count(): number {
    return this.#entries.length
  }

  /** The first batch belongs to a request that failed. */
  get isInParts(): boolean {
    return (this.#entries[0]?.part ?? 0) > 0
  }

  add(given: Pick<Entry, 'batch' | 'samples' | 'done' | 'since'> & Partial<Entry>): void {
    const entry = {
      weight: weightOf(given.batch),
      serial: undefined,
      isWriting: false,
      isSpooling: false,
      part: 0,
      alone: undefined,
      ...given,
    }
    this.#entries.push(entry)
    this.#count(entry, 1)
  }

  /** On disk, too, and not suspected. */
  get replayed(): readonly Entry[] {
    return this.#entries.filter(entry => entry.serial !== undefined && !this.#isSuspect(entry))
  }

  /** On disk, too, of hosts that are suspected; oldest first. */
  get putOff(): readonly Entry[] {
    return this.#entries.filter(entry => entry.serial !== undefined && this.#isSuspect(entry))
  }

  /** Nowhere but in memory since then, oldest first. */
  olderThan(ms: number): readonly Entry[] {
    return this.#entries.filter(
      ({ serial, isSpooling, since }) => serial === undefined && !isSpooling && since <= ms,
    )
  }

  find(serial: number): Entry | undefined {
    return this.#entries.find(entry => entry.serial === serial)
  }

  has(entry: Entry): boolean {
    return this.#entries.includes(entry)
  }

  /** Batches and samples that are nowhere but here. */
  get unspooled(): Amount {
    const alone = this.#entries.filter(({ serial }) => serial === undefined)
    return { batches: alone.length, samples: alone.reduce((sum, { samples }) => sum + samples, 0) }
  }

  remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry)
    if (index < 0) return
    this.#entries.splice(index, 1)
    this.#count(entry, -1)
  }

  /** @returns the number of batches removed */
  clear(): number {
    return this.#entries.splice(0).length
  }

  /** The oldest batch and those after it that fit into the same request. @param most samples per request */
  next(most: number): readonly Entry[] {
    const first = this.#entries.find(entry => !this.#isSuspect(entry)) ?? this.#entries[0]!
    const some = [first]
    if (this.#isSuspect(first)) return some
    let { samples } = first
    for (let at = this.#entries.indexOf(first) + 1; at < this.#entries.length; at++) {
      const entry = this.#entries[at]!
      if (this.#isSuspect(entry)) continue
      samples += entry.samples
      if (entry.part !== first.part || samples > most) break
      some.push(entry)
    }
    return some
  }

  /** Splits a failed request into two. */
  halve(some: readonly Entry[]): void {
    const half = Math.ceil(some.length / 2)
    for (const [at, entry] of some.entries()) entry.part = at < half ? this.#parts + 1 : this.#parts + 2
    this.#parts += 2
  }

  /** The oldest batch of the host whose batches weigh most, so that one host does not displace the others; never the newest batch. */
  toDrop(): Entry | undefined {
    const newest = this.#entries.at(-1)
    const isFree = ({ isWriting, isSpooling, serial }: Entry) =>
      !isWriting && !isSpooling && serial === undefined
    const free = this.#entries.filter(entry => isFree(entry) && entry !== newest)
    const most = free.reduce((most, entry) => Math.max(most, this.#ofHost(entry)), 0)
    return free.find(entry => this.#ofHost(entry) === most)
  }

  /** @returns whether the host was trusted before */
  suspect({ batch }: Entry): boolean {
    const isNew = !this.#suspects.has(batch.id.host)
    if (this.#suspects.size >= MAX_SUSPECTS) this.#suspects.clear()
    this.#suspects.add(batch.id.host)
    return isNew
  }

  trust({ batch }: Entry): void {
    this.#suspects.delete(batch.id.host)
  }

  isTrusted({ id }: Batch): boolean {
    return !this.#suspects.has(id.host)
  }

  /** A batch of a trusted host is queued. */
  hasTrusted(): boolean {
    return this.#entries.some(({ batch }) => this.isTrusted(batch))
  }

  #isSuspect({ batch }: Entry): boolean {
    return this.#suspects.size > 0 && this.#suspects.has(batch.id.host)
  }

  #ofHost({ batch }: Entry): number {
    return this.#weightOfHost.get(batch.id.host) ?? 0
  }

  #count(entry: Entry, sign: 1 | -1): void {
    const { host } = entry.batch.id
    const left = this.#ofHost(entry) + sign * entry.weight
    if (left > 0) this.#weightOfHost.set(host, left)
    else this.#weightOfHost.delete(host)
    this.samples += sign * entry.samples
    this.weight += sign * entry.weight
  }
}
