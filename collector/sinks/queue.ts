import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ThrottledLog } from '../../wire/process/throttled_log.ts'
import { type Batch, countOf } from '../batch.ts'
import { Refused, type Sink } from './sink.ts'

/** Samples that are written together, where a sink can: windows of many hosts end at the same moment. */
const TOGETHER = 5000
/** So long a window waits for those of other hosts: each sends at a moment of its own, and a request for each is dear. */
const GATHER_MS = 200
const FIRST_DELAY_MS = 250
const LAST_DELAY_MS = 30_000
/** A server may ask for more patience than our longest delay, but not for a day by mistake. */
const LONGEST_RETRY_AFTER_MS = 300_000

interface QueueOptions {
  /** Samples that may wait; a sample takes about 50 bytes of memory. The newest batch is always kept. */
  readonly maxSamples: number
  readonly log: Logger
  /** How long to wait for more to write together. */
  readonly gatherMs?: number
  readonly now?: () => number
  /** @throws when the signal aborts */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

export interface QueueCounters {
  /** Batches of which at least one sample was stored. */
  written: number
  /** Samples stored. */
  samples: number
  /** Samples that the sink refused for good, by reason. */
  refused: Record<string, number>
  /** Samples given up because the queue was full. */
  dropped: number
  /** Attempts that failed and were made again. */
  retries: number
  /** Samples in the queue now, those being written included. */
  waiting: number
}

interface Entry {
  readonly batch: Batch
  readonly samples: number
  readonly done: () => void
}

/** The wait around one sink: the oldest batches first, again until they are settled. */
export class SinkQueue {
  readonly counters: QueueCounters = {
    written: 0,
    samples: 0,
    refused: {},
    dropped: 0,
    retries: 0,
    waiting: 0,
  }
  /** It has given up samples, and settled none since. */
  isFull = false
  readonly #sink: Sink
  readonly #maxSamples: number
  readonly #gatherMs: number
  readonly #log: ThrottledLog
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly #entries: Entry[] = []
  /** The oldest entries, which the sink is writing right now: they cannot be dropped. */
  #writing = 0
  /** The oldest entries that are to be written one by one: something of them was refused together. */
  #apart = 0
  #working: Promise<void> | undefined
  #failures = 0
  #closed = false
  #patience = new AbortController()
  #gathering: AbortController | undefined

  constructor(sink: Sink, options: QueueOptions) {
    this.#sink = sink
    this.#maxSamples = options.maxSamples
    this.#gatherMs = sink.writeAll ? (options.gatherMs ?? GATHER_MS) : 0
    this.#log = new ThrottledLog(options.log.child({ sink: sink.name }), options.now)
    this.#sleep = options.sleep ?? ((ms, signal) => wait(ms, undefined, { signal }))
  }

  get name(): string {
    return this.#sink.name
  }

  /**
   * Hand over a batch; never waits.
   * @param done called once, when the batch is settled: stored durably, refused for good, or given up because the
   *   queue was full. Not called for what is still waiting when the queue closes: nobody has stored that.
   */
  push(batch: Batch, done: () => void): void {
    if (this.#closed) return
    const samples = countOf(batch)
    this.#entries.push({ batch, samples, done })
    this.counters.waiting += samples
    this.#dropOldest()
    if (this.counters.waiting >= TOGETHER) this.#gathering?.abort()
    this.#working ??= this.#work()
  }

  /** Try to write what waits, for at most `deadlineMs`, then close the sink. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#failures = 0
    this.#patience.abort()
    this.#gathering?.abort()
    this.#patience = new AbortController()
    const deadline = new AbortController()
    const late = wait(deadlineMs, undefined, { signal: deadline.signal }).catch(() => {})
    await Promise.race([this.#working, late])
    deadline.abort()
    const left = this.#entries.splice(0).length
    this.#patience.abort()
    await this.#sink.close()
    await this.#working
    if (left > 0) this.#log.warn('closed', `closed with ${left} batches not written`)
  }

  async #work(): Promise<void> {
    while (this.#entries.length > 0) {
      if (this.#isFew()) await this.#gather()
      const some = this.#next()
      this.#writing = some.length
      const error = await this.#write(some.map(({ batch }) => batch)).then(
        () => undefined,
        (error: unknown) => error ?? new Error('unknown error'),
      )
      this.#writing = 0
      if (error instanceof Refused && some.length > 1) {
        this.#apart = some.length // writing again leaves one copy
      } else if (error === undefined || error instanceof Refused) {
        this.#apart = Math.max(0, this.#apart - some.length)
        for (const entry of some) this.#settle(entry, error)
        this.#failures = 0
      } else if (this.#entries.length > 0) {
        await this.#backOff(error)
      }
    }
    this.#working = undefined
  }

  /** More may come that can be written in the same request. */
  #isFew(): boolean {
    const isHurried = this.#closed || this.#failures > 0 || this.#apart > 0
    return this.#gatherMs > 0 && !isHurried && this.counters.waiting < TOGETHER
  }

  async #gather(): Promise<void> {
    this.#gathering = new AbortController()
    await this.#sleep(this.#gatherMs, this.#gathering.signal).catch(() => {})
    this.#gathering = undefined
  }

  /** One, or as many as are worth a request. */
  #next(): readonly Entry[] {
    let count = 1
    if (this.#sink.writeAll && this.#apart === 0)
      for (let { samples } = this.#entries[0]!; count < this.#entries.length; count++) {
        samples += this.#entries[count]!.samples
        if (samples > TOGETHER) break
      }
    return this.#entries.slice(0, count)
  }

  #write(batches: readonly Batch[]): Promise<void> {
    const several = batches.length > 1 && this.#sink.writeAll?.(batches)
    return several || this.#sink.write(batches[0]!)
  }

  #settle(entry: Entry, refused: Refused | undefined): void {
    if (refused) {
      this.#count(refused.reason, refused.samples)
      this.#log.warn(refused.reason, refused.message)
    }
    const stored = entry.samples - (refused?.samples ?? 0)
    if (stored > 0 || !refused) this.counters.written++
    this.counters.samples += stored
    this.#remove(this.#entries.indexOf(entry))
    this.isFull = false
    entry.done()
  }

  async #backOff(error: unknown): Promise<void> {
    this.counters.retries++
    const { message, reason, retryAfterMs } = trouble(error)
    this.#log.warn(reason, `${message}; trying again, ${this.#entries.length} batches wait`)
    const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++)
    // Half fixed, half random, so that collectors that lost one server together do not come back together.
    const jittered = delay / 2 + (Math.random() * delay) / 2
    await this.#sleep(Math.max(jittered, retryAfterMs), this.#patience.signal).catch(() => {})
  }

  #dropOldest(): void {
    while (this.counters.waiting > this.#maxSamples) {
      const oldest = this.#writing
      const entry = this.#entries[oldest]
      if (!entry || oldest === this.#entries.length - 1) return
      if (this.#apart > oldest) this.#apart--
      this.isFull = true
      this.counters.dropped += entry.samples
      this.#log.warn(
        'full',
        `the queue is full (${this.#maxSamples} samples): the oldest batches are dropped`,
      )
      this.#remove(oldest)
      entry.done()
    }
  }

  #remove(index: number): void {
    const [entry] = index < 0 ? [] : this.#entries.splice(index, 1)
    if (entry) this.counters.waiting -= entry.samples
  }

  #count(reason: string, samples: number): void {
    this.counters.refused[reason] = (this.counters.refused[reason] ?? 0) + samples
  }
}

/** A sink's error may carry `reason`, one word, and `retryAfterMs`, what the server asked for (RFC 9110, Retry-After). */
function trouble(error: unknown): { message: string; reason: string; retryAfterMs: number } {
  const { message, name, reason, retryAfterMs } = (error ?? {}) as Record<string, unknown>
  return {
    message: String(message ?? error),
    reason: String(reason ?? name ?? 'error'),
    retryAfterMs: typeof retryAfterMs === 'number' ? Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS) : 0,
  }
}
