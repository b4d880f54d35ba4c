import type { Batch } from '../batch.ts'

export interface Entry {
  readonly batch: Batch
  readonly samples: number
  readonly done: () => void
  /** It is being written: it cannot be dropped. */
  isWriting: boolean
  /** Part of a request that failed: only batches of the same part are written together. */
  part: number
  /** Its failures alone, and the batches written before the first of them. */
  alone: { tries: number; written: number } | undefined
}

/** Most suspects. Host names come from outside; beyond this bound all hosts are trusted again. */
const MAX_SUSPECTS = 4096

/** The batches queued for a sink, oldest first; chooses the next ones. */
export class Waiting {
  /** Samples of all batches. */
  samples = 0
  readonly #entries: Entry[] = []
  readonly #samplesOfHost = new Map<string, number>()
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

  add(batch: Batch, samples: number, done: () => void): void {
    const entry = { batch, samples, done, isWriting: false, part: 0, alone: undefined }
    this.#entries.push(entry)
    this.#count(entry, samples)
  }

  remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry)
    if (index < 0) return
    this.#entries.splice(index, 1)
    this.#count(entry, -entry.samples)
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

  /** The oldest batch of the host with the most samples, so that one host does not displace the others; never the newest batch. */
  toDrop(): Entry | undefined {
    const newest = this.#entries.at(-1)
    const free = this.#entries.filter(entry => !entry.isWriting && entry !== newest)
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
    return this.#samplesOfHost.get(batch.id.host) ?? 0
  }

  #count(entry: Entry, samples: number): void {
    const { host } = entry.batch.id
    const left = this.#ofHost(entry) + samples
    if (left > 0) this.#samplesOfHost.set(host, left)
    else this.#samplesOfHost.delete(host)
    this.samples += samples
  }
}
