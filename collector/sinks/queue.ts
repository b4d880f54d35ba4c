import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ThrottledLog } from '../../wire/process/throttled_log.ts'
import { type Batch, countOf } from '../batch.ts'
import type { Settled } from '../settled.ts'
import { Account, type Accounts, type Amount, add, none, type Settlement } from './account.ts'
import { Backlog, type BacklogOptions } from './backlog.ts'
import { Replay } from './replay.ts'
import { Refused, type Sink, type Trouble } from './sink.ts'
import { Spooling } from './spooling.ts'
import { type Entry, Waiting } from './waiting.ts'

/** Most samples in one request, if the sink supports several batches: windows of many hosts end at the same moment. */
const TOGETHER = 5000
/** How long a window waits for those of other hosts: each host has its own send offset, and a request per window is expensive. */
const GATHER_MS = 200
const FIRST_DELAY_MS = 250
const LAST_DELAY_MS = 30_000
/** Upper bound of Retry-After: more than our longest delay, but not a day by mistake. */
const MAX_RETRY_AFTER_MS = 300_000
/** Failures of a whole request before the queue searches for the one batch that causes them. */
const TOGETHER_TRIES = 3
/** Failures of one batch alone, while others are stored, before it is dropped. */
const ALONE_TRIES = 3
/** More is read from disk so soon that the queue does not back off. */
const SOON_MS = 1000
/** Requests of others before one of a suspected host is tried, while what was on disk is written. */
const SUSPECT_EVERY = 4

interface QueueOptions {
  /** Most samples in the queue, as `weightOf` counts them: some 50 bytes of memory each. The newest batch is always kept. */
  readonly maxSamples: number
  /** Where batches go that are not stored soon; without it they wait in memory. */
  readonly spool?: Pick<BacklogOptions, 'directory' | 'maxBytes' | 'maxAgeMs'> | undefined
  /** What the processes before have settled. */
  readonly before?: Settlement | undefined
  /** Samples of this host are lost. */
  readonly evicted?: (host: string, reason: string, samples: number) => void
  readonly log: Logger
  /** How long to wait for more batches for the same request. */
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
  /** Samples that the sink refused permanently, by reason. */
  refused: Record<string, number>
  /** Samples dropped because the queue was full: their windows are not acknowledged as stored. */
  dropped: number
  /** Attempts that failed and were retried. */
  retries: number
  /** Samples in the queue now, including those being written. */
  waiting: number
}

/**
 * The queue around one sink. It writes the oldest batches first and retries until they are settled. If a request fails and
 * a batch may be the cause, the request is halved until one batch fails alone; the host of that batch is then written last.
 *
 * With a spool, a batch that is not stored soon goes to disk, and out of memory. What is on disk is written between the
 * batches that come, oldest first.
 */
export class SinkQueue {
  readonly counters: QueueCounters = {
    written: 0,
    samples: 0,
    refused: {},
    dropped: 0,
    retries: 0,
    waiting: 0,
  }
  /** It has dropped samples, and settled none since. */
  isFull = false
  /** What became of all batches. */
  readonly account: Account
  maxSamples: number
  readonly #sink: Sink
  /** Since when the sink has one request in its hands: milliseconds that only rise. */
  #writingMs: number | undefined
  readonly #gatherMs: number
  readonly #log: ThrottledLog
  readonly #now: () => number
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly #evicted: NonNullable<QueueOptions['evicted']>
  readonly #waiting = new Waiting()
  readonly #backlog: Backlog | undefined
  readonly #spooling: Spooling | undefined
  readonly #replay: Replay | undefined
  /** Requests since one of a suspected host was tried. */
  #sinceSuspect = 0
  /** Failures of single batches since the last success. */
  #aloneFailures = 0
  #working: Promise<void> | undefined
  #failures = 0
  #closed = false
  #patience = new AbortController()
  #gathering: AbortController | undefined
  #suspectsWait: AbortController | undefined
  /** Until the next part of the backlog is due. */
  #pause: AbortController | undefined

  constructor(sink: Sink, options: QueueOptions) {
    this.#sink = sink
    this.maxSamples = options.maxSamples
    this.#gatherMs = sink.writeAll ? (options.gatherMs ?? GATHER_MS) : 0
    this.#now = options.now ?? (() => performance.now())
    this.account = new Account(options.before)
    this.#log = new ThrottledLog(options.log.child({ sink: sink.name }), this.#now)
    this.#sleep = options.sleep ?? ((ms, signal) => wait(ms, undefined, { signal }))
    this.#evicted = options.evicted ?? (() => {})
    if (!options.spool) return
    const backlog = new Backlog({
      ...options.spool,
      ...{ log: this.#log, now: this.#now },
      lose: (reason, amount, host) => this.#lose(reason, amount, host),
      gone: serial => {
        const entry = this.#waiting.find(serial)
        if (entry) entry.serial = undefined
      },
    })
    this.#backlog = backlog
    const now = this.#now
    this.#spooling = new Spooling(backlog, this.#waiting, () => this.#count(), now)
    this.#replay = new Replay(backlog, this.#waiting, TOGETHER, now, ({ message }) =>
      this.#log.warn('spool_read', `the spool cannot be read (${message}); trying again`),
    )
  }

  /** Finds what the process before has left, and begins to write it. */
  async open(): Promise<void> {
    if (!this.#backlog) return
    const lost = this.#lost
    await this.#backlog.open()
    // what is found there, and what was lost of it, was produced by processes before
    add(this.account.produced, this.#backlog.waiting)
    add(this.account.produced, {
      batches: this.#lost.batches - lost.batches,
      samples: this.#lost.samples - lost.samples,
    })
    if (this.#backlog.waiting.batches > 0) this.#working ??= this.#work()
  }

  /** Batches and samples that are not settled: in memory, or on disk. */
  get waiting(): Amount {
    const sum = { ...this.#waiting.unspooled }
    if (this.#backlog) add(sum, this.#backlog.waiting)
    return sum
  }

  get accounts(): Accounts {
    const { produced, stored, refused, lost } = this.account
    return { produced, stored, refused, lost, waiting: this.waiting }
  }

  get #lost(): Amount {
    const sum = none()
    for (const amount of Object.values(this.account.lost)) add(sum, amount)
    return sum
  }

  /** What is on disk; undefined without a spool. */
  get spool() {
    return this.#backlog?.stats
  }

  get name(): string {
    return this.#sink.name
  }

  /** Milliseconds that the sink has had one request in its hands. */
  get writingForMs(): number {
    return this.#writingMs === undefined ? 0 : this.#now() - this.#writingMs
  }

  /**
   * Adds a batch; never waits.
   * @param done called once, when the batch is settled: stored durably, on disk, refused permanently, or dropped because
   *   the queue was full. Not called for batches still in the queue when it closes: they are not stored.
   */
  push(batch: Batch, done: Settled): void {
    if (this.#closed) return
    const samples = countOf(batch)
    add(this.account.produced, { batches: 1, samples })
    this.#waiting.add({ batch, samples, done: once(done), since: this.#now() })
    this.#dropOldest()
    this.#count()
    this.#spooling?.watch()
    this.#pause?.abort()
    if (this.counters.waiting >= TOGETHER) this.#gathering?.abort()
    if (this.#waiting.isTrusted(batch)) this.#suspectsWait?.abort()
    this.#working ??= this.#work()
  }

  /** Drops what is on disk for too long; to be called now and then. */
  expire(): void {
    this.#backlog?.expire()
  }

  /** Writes the queued batches for at most `deadlineMs`, puts the others on disk, then closes the sink. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#spooling?.stop()
    if (this.#failures > 0) await this.#spooling?.all()
    this.#failures = 0
    this.#patience.abort()
    this.#gathering?.abort()
    this.#pause?.abort()
    this.#patience = new AbortController()
    const deadline = new AbortController()
    const late = wait(deadlineMs, undefined, { signal: deadline.signal }).catch(() => {})
    await Promise.race([this.#working, late])
    deadline.abort()
    await this.#spooling?.all()
    const { batches } = this.#waiting.unspooled
    this.#waiting.clear()
    this.#patience.abort()
    await this.#sink.close()
    await this.#working
    await this.#backlog?.close()
    if (batches > 0)
      this.#log.warn('closed', `closed with ${batches} batches not written; they are not acknowledged`)
  }

  async #work(): Promise<void> {
    while (this.#isFresh() || (await this.#hasSome())) {
      if (this.#isFew()) await this.#gather()
      const some = this.#next()
      if (some.length === 0) continue
      const began = this.#now()
      for (const entry of some) entry.isWriting = true
      const error = await this.#write(some.map(({ batch }) => batch)).then(
        () => undefined,
        (error: unknown) => error ?? new Error('unknown error'),
      )
      for (const entry of some) entry.isWriting = false
      if (error instanceof Refused && some.length > 1) {
        this.#waiting.halve(some) // the sink does not say which batch was refused; writing again leaves one copy
      } else if (error === undefined || error instanceof Refused) {
        for (const entry of some) this.#settle(entry, error)
        this.#failures = 0
        this.#aloneFailures = 0
        this.#waiting.trust(some[0]!)
        this.#sinceSuspect++
        if (some.some(({ serial }) => serial !== undefined)) this.#replay?.stored(this.#now() - began)
      } else if (this.#waiting.count > 0) {
        await this.#fail(some, error)
      }
    }
    this.#working = undefined
  }

  /** There is something in memory, and nothing to be read from disk before: while the sink fails, one request is enough. */
  #isFresh(): boolean {
    const isDue = this.#replay !== undefined && !this.#closed && (this.#replay.dueMs ?? 1) <= 0
    if (isDue && (this.#failures === 0 || !this.#waiting.hasTrusted())) return false
    return this.#waiting.count > 0
  }

  /** Waits for the next part of the backlog while nothing else is there. */
  async #hasSome(): Promise<boolean> {
    for (;;) {
      if (!this.#closed && !this.#isFresh()) await this.#replay?.load()
      this.#count()
      if (this.#waiting.count > 0) return true
      const dueMs = this.#closed ? undefined : this.#replay?.dueMs
      if (dueMs === undefined) return false
      this.#pause = new AbortController()
      await this.#sleep(dueMs, this.#pause.signal).catch(() => {})
      this.#pause = undefined
    }
  }

  #next(): readonly Entry[] {
    if (this.#waiting.count === 0) return [] // it went to disk meanwhile
    const [suspect] = this.#waiting.putOff
    if (suspect && this.#sinceSuspect >= SUSPECT_EVERY) return [suspect]
    return this.#waiting.next(this.#sink.writeAll ? TOGETHER : 0)
  }

  async #fail(some: readonly Entry[], error: unknown): Promise<void> {
    const { fault, reason, message } = trouble(error)
    const isSearched = fault === 'batch' || (fault === 'unknown' && this.#failures + 1 >= TOGETHER_TRIES)
    if (!isSearched) return this.#backOff(error)
    if (some.length > 1) {
      this.counters.retries++
      this.#failures++
      return this.#waiting.halve(some)
    }
    const [entry] = some as [Entry]
    const { host } = entry.batch.id
    const isNew = this.#waiting.suspect(entry)
    this.#sinceSuspect = 0
    entry.alone ??= { tries: 0, written: this.counters.written }
    entry.alone.tries++
    const others = this.counters.written - entry.alone.written
    if (fault === 'batch' && entry.alone.tries >= ALONE_TRIES && others > 0) {
      const what = `${message}; the window of host "${host}" failed ${entry.alone.tries} times while others were stored; its ${entry.samples} samples are dropped`
      this.#settle(entry, new Refused(reason, entry.samples, what), 'given_up')
      return
    }
    if (fault !== 'batch' && others > 0) this.#putBack(entry)
    // one failing host does not delay the others; several may mean that the server fails for all
    const isFirst = this.#aloneFailures++ === 0 || !isNew
    const dueMs = this.#replay?.dueMs ?? Number.POSITIVE_INFINITY
    if (isFirst && this.#waiting.hasTrusted()) this.#retry(error)
    else if (isFirst && !this.#closed && dueMs <= SOON_MS) {
      this.#retry(error)
      await this.#sleep(dueMs, this.#patience.signal).catch(() => {}) // then others come from disk
    } else await this.#backOff(error)
  }

  /** More batches may come that fit into the same request. */
  #isFew(): boolean {
    const isHurried = this.#closed || this.#failures > 0 || this.#waiting.isInParts
    return this.#gatherMs > 0 && !isHurried && this.counters.waiting < TOGETHER
  }

  async #gather(): Promise<void> {
    this.#gathering = new AbortController()
    await this.#sleep(this.#gatherMs, this.#gathering.signal).catch(() => {})
    this.#gathering = undefined
  }

  async #write(batches: readonly Batch[]): Promise<void> {
    this.#writingMs = this.#now()
    try {
      const several = batches.length > 1 && this.#sink.writeAll?.(batches)
      await (several || this.#sink.write(batches[0]!))
    } finally {
      this.#writingMs = undefined
    }
  }

  /** @param says what the log counts it as: the attempts before have said why they failed */
  #settle(entry: Entry, refused: Refused | undefined, says = refused?.reason): void {
    if (refused) {
      this.#refuse(refused.reason, refused.samples)
      this.#log.warn(says!, refused.message)
    }
    if (entry.serial !== undefined) this.#backlog?.settle(entry.serial)
    this.account.settle(entry.samples, refused?.samples ?? 0)
    const stored = entry.samples - (refused?.samples ?? 0)
    if (stored > 0 || !refused) this.counters.written++
    this.counters.samples += stored
    this.#remove(entry)
    this.isFull = false
    entry.done(true)
  }

  /** It is on disk, and tried again when all others were. */
  #putBack(entry: Entry): void {
    if (entry.serial === undefined) return
    this.#backlog?.putBack(entry.serial, entry.alone)
    this.#remove(entry)
  }

  async #backOff(error: unknown): Promise<void> {
    const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures)
    const retryAfterMs = this.#retry(error)
    // Half fixed, half jitter: collectors that lost one server together must not retry together.
    const jittered = delay / 2 + (Math.random() * delay) / 2
    // new batches of other hosts do not wait for suspects
    const isForSuspects = !this.#waiting.hasTrusted()
    this.#suspectsWait = isForSuspects ? new AbortController() : undefined
    const signals = [this.#patience.signal, ...(this.#suspectsWait ? [this.#suspectsWait.signal] : [])]
    await this.#sleep(Math.max(jittered, retryAfterMs), AbortSignal.any(signals)).catch(() => {})
    this.#suspectsWait = undefined
  }

  /** @returns the delay that the server asked for */
  #retry(error: unknown): number {
    this.counters.retries++
    this.#failures++
    const { message, reason, retryAfterMs } = trouble(error)
    this.#log.warn(reason, `${message}; trying again, ${this.#waiting.count} batches are queued`)
    return retryAfterMs
  }

  #dropOldest(): void {
    while (this.#waiting.weight > this.maxSamples) {
      const entry = this.#waiting.toDrop()
      if (!entry) return
      this.isFull = true
      this.counters.dropped += entry.samples
      this.#lose('dropped', { batches: 1, samples: entry.samples }, entry.batch.id.host)
      this.#log.warn(
        'full',
        `the queue is full (${this.maxSamples} samples); the oldest batches of host "${entry.batch.id.host}", which has the most samples in it, are dropped`,
      )
      this.#remove(entry)
      entry.done(false)
    }
  }

  #remove(entry: Entry): void {
    this.#waiting.remove(entry)
    this.#count()
  }

  #count(): void {
    this.counters.waiting = this.#waiting.samples
  }

  #lose(reason: string, amount: Amount, host: string): void {
    this.account.lose(reason, amount)
    this.#evicted(host, reason, amount.samples)
  }

  #refuse(reason: string, samples: number): void {
    this.counters.refused[reason] = (this.counters.refused[reason] ?? 0) + samples
  }
}

function once(done: Settled): Settled {
  let isDone = false
  return isKept => {
    if (isDone) return
    isDone = true
    done(isKept)
  }
}

/** Message, reason and fault of any error. */
function trouble(error: unknown) {
  const { message, name, reason, retryAfterMs, fault } = (error ?? {}) as Trouble & Partial<Error>
  return {
    message: String(message ?? error),
    reason: String(reason ?? name ?? 'error'),
    retryAfterMs: typeof retryAfterMs === 'number' ? Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) : 0,
    fault,
  }
}
