/**
 * What one sink has not stored, on disk: batches go in when they are not stored at once, and come back oldest first. A
 * batch is a value, so its order among the others does not matter.
 */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import { openSpool } from '../../wire/spool/spool.ts'
import type { Found, Spool, SpoolAmount, SpoolLoss, SpoolOptions } from '../../wire/spool/types.ts'
import { type Batch, countOf } from '../batch.ts'
import { BatchError, decodeBatch, encodeBatch } from '../batch_codec.ts'
import { type Amount, add, none } from './account.ts'
import { type Owner, Owners } from './owners.ts'
import type { Alone } from './waiting.ts'

/** A spool that cannot be used is tried again after so long: its disk is full, or its directory is missing. */
const AGAIN_MS = 5000
/** What was put back is tried again after so long, when the rest is done. */
const SWEEP_MS = 30_000
/** Failures of single batches that are remembered. */
const MAX_ALONE = 10_000
/** Encoded at once: bounds the memory, and how long the process stands still. */
const MAX_APPEND_SAMPLES = 50_000

const REASON: Readonly<Record<SpoolLoss, string>> = {
  size: 'spool_full',
  age: 'spool_old',
  damaged: 'spool_damaged',
}

export interface BacklogOptions extends Pick<SpoolOptions, 'directory' | 'maxBytes' | 'maxAgeMs'> {
  readonly log: ThrottledLog
  /** Samples that will never be stored. */
  readonly lose: (reason: string, amount: Amount, host: string) => void
  /** This record is in memory only from now on. */
  readonly gone: (serial: number) => void
  /** Milliseconds that only rise. */
  readonly now: () => number
}

/** A batch that came from disk. */
export interface Replayed {
  readonly serial: number
  readonly batch: Batch
  /** Its failures so far. */
  readonly alone: Alone | undefined
}

export class Backlog {
  readonly #options: BacklogOptions
  readonly #now: () => number
  #spool: Spool | undefined
  /** Of each record that waits. */
  readonly #owners = new Owners()
  /** Those that are in memory, too. */
  readonly #held = new Set<number>()
  readonly #alone = new BoundedMap<number, Alone>(MAX_ALONE)
  /** The record that was read last. */
  #cursor = -1
  /** Records were put back since the first was read. */
  #isPutBack = false
  #sweepAt = 0
  #againAt = 0
  /** Attempts that failed to open it; the spool itself counts the others. */
  #failures = 0

  constructor(options: BacklogOptions) {
    this.#options = options
    this.#now = options.now
  }

  /** Finds what the process before has left. A spool that cannot be used is logged, and tried again. */
  async open(): Promise<void> {
    const { log, directory, maxBytes, maxAgeMs } = this.#options
    try {
      this.#spool = await openSpool({
        ...{ directory, maxBytes, maxAgeMs },
        found: record => this.#owners.set(record.serial, ownerOf(record)),
        dropped: (serials, reason) => this.#dropped(serials, reason),
      })
      this.#damaged(this.#spool.losses.damaged)
    } catch (error) {
      this.#owners.clear()
      this.#fail(`${(error as Error).message}; what the sink has not stored is kept in memory`, log)
    }
  }

  /** Batches and samples that wait on disk. */
  get waiting(): Amount {
    const { windows = 0, rows = 0 } = this.#spool?.stats ?? {}
    return { batches: windows, samples: rows }
  }

  get stats() {
    const { bytes = 0, oldest, failures = 0 } = this.#spool?.stats ?? {}
    const seconds = oldest === undefined ? 0 : Math.max(0, Math.round((Date.now() - oldest) / 1000))
    return { bytes, ...this.waiting, oldest_seconds: seconds, failures: failures + this.#failures }
  }

  /**
   * Writes the first of these batches to disk.
   * @param placed called for each that is there; whether it stays in memory as well
   * @returns false when the disk takes none now
   */
  async append(batches: readonly Batch[], placed: (at: number, serial: number) => boolean): Promise<boolean> {
    const { log } = this.#options
    if (this.#now() < this.#againAt) return false
    if (!this.#spool) await this.open()
    if (!this.#spool) return false
    const some = firstOf(batches)
    try {
      const serials = await this.#spool.append(some.map(itemOf))
      for (const [at, serial] of serials.entries()) {
        const { id } = some[at]!
        this.#owners.set(serial, { host: id.host, samples: countOf(some[at]!) })
        if (placed(at, serial)) this.#held.add(serial)
      }
      return true
    } catch (error) {
      this.#fail(`${(error as Error).message}; its windows are acknowledged when they are stored`, log)
      return false
    }
  }

  /** When the next record can be read, in milliseconds from now; undefined when none waits. */
  get dueMs(): number | undefined {
    if (!this.#spool) return undefined
    const next = this.#spool.after(this.#cursor)
    if (next !== undefined && this.#owners.has(next)) return 0
    return this.#isPutBack ? Math.max(0, this.#sweepAt - this.#now()) : undefined
  }

  /**
   * The oldest that is not in memory.
   * @returns undefined when none waits now
   */
  async next(): Promise<Replayed | undefined> {
    for (;;) {
      const serial = this.#advance()
      if (serial === undefined) return undefined
      if (this.#held.has(serial)) continue
      const found = await this.#read(serial)
      if (found) return found
    }
  }

  /** It does not stay in memory: it is read again, when all others were. */
  putBack(serial: number, alone: Alone | undefined): void {
    this.#held.delete(serial)
    if (alone) this.#alone.set(serial, alone)
    this.#isPutBack = true
    this.#sweepAt = this.#now() + SWEEP_MS
  }

  /** It is stored, or never will be. */
  settle(serial: number): void {
    this.#forget(serial)
    this.#spool?.release([serial])
  }

  /** Drops what is too old; to be called now and then. */
  expire(): void {
    this.#spool?.expire()
  }

  /** What waits is kept for the next process. */
  async close(): Promise<void> {
    const spool = this.#spool
    this.#spool = undefined
    await spool?.close()
  }

  #advance(): number | undefined {
    const next = this.#spool?.after(this.#cursor)
    if (next !== undefined && !this.#owners.has(next)) return undefined // it is being appended
    if (next !== undefined) this.#cursor = next
    else if (this.#isPutBack && this.#now() >= this.#sweepAt) {
      this.#isPutBack = false
      this.#cursor = this.#spool?.oldest ?? this.#cursor
      return this.#spool?.oldest
    }
    return next
  }

  async #read(serial: number): Promise<Replayed | undefined> {
    const record = await this.#spool!.read(serial)
    if (!record) return undefined
    try {
      const batch = decodeBatch(Buffer.concat(record.frames))
      this.#held.add(serial)
      return { serial, batch, alone: this.#alone.peek(serial) }
    } catch (error) {
      if (!(error instanceof BatchError)) throw error
      this.#dropped([serial], 'damaged')
      this.#spool!.release([serial])
      return undefined
    }
  }

  #forget(serial: number): void {
    this.#owners.delete(serial)
    this.#held.delete(serial)
    this.#alone.delete(serial)
  }

  /** What is in memory, too, is not lost yet. */
  #dropped(serials: readonly number[], reason: SpoolLoss): void {
    const { log, lose, gone, maxBytes } = this.#options
    const lost = none()
    for (const serial of serials) {
      const owner = this.#owners.get(serial)
      if (this.#held.delete(serial)) gone(serial)
      else if (owner) {
        const amount = { batches: 1, samples: owner.samples }
        lose(REASON[reason], amount, owner.host)
        add(lost, amount)
      }
      this.#owners.delete(serial)
    }
    if (lost.batches === 0) return
    const why = {
      size: `the spool is full (${Math.round(maxBytes / 2 ** 20)} MiB)`,
      age: 'the spool has batches that are too old',
      damaged: 'the spool has batches that cannot be read',
    }
    const what = `${lost.batches} of them with ${lost.samples} samples are dropped`
    log.warn(REASON[reason], `${why[reason]}: ${what}; mend the sink, or raise --spool-size and --spool-age`)
  }

  /** Records that were never found: whose they were is not known. */
  #damaged({ windows, rows }: SpoolAmount): void {
    if (windows === 0 && rows === 0) return
    const { log, lose } = this.#options
    lose(REASON.damaged, { batches: windows, samples: rows }, 'unknown')
    log.warn(
      REASON.damaged,
      `a part of the spool in ${this.#options.directory} cannot be read: ${windows} batches with ${rows} samples are lost; look at its disk`,
    )
  }

  #fail(message: string, log: ThrottledLog): void {
    this.#failures++
    this.#againAt = this.#now() + AGAIN_MS
    log.warn('spool', message)
  }
}

function firstOf(batches: readonly Batch[]): readonly Batch[] {
  let samples = 0
  const end = batches.findIndex((batch, at) => {
    samples += countOf(batch)
    return at > 0 && samples > MAX_APPEND_SAMPLES
  })
  return end < 0 ? batches : batches.slice(0, end)
}

const itemOf = (batch: Batch) => ({
  head: { host: batch.id.host, time: batch.time },
  frames: [encodeBatch(batch)],
  windows: 1,
  rows: countOf(batch),
})

/** The head is ours; it is checked as it may be of another version. */
function ownerOf({ head, rows }: Found): Owner {
  const { host } = (head ?? {}) as { host?: unknown }
  return { host: typeof host === 'string' ? host : 'unknown', samples: rows }
}
