/**
 * Between the queue of a collector and its spool: puts on disk what is not acknowledged soon, reads what is to be sent,
 * and keeps the ledger of all runs. Without the disk, the queue is what it is without a spool.
 */

import type { Logger } from 'pino'
import type { Identity } from '../../../wire/message.ts'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { openSpool } from '../../../wire/spool/spool.ts'
import type { Found, Item, Spool, SpoolLoss } from '../../../wire/spool/types.ts'
import type { Reason } from '../ledger.ts'
import type { Queue } from '../queue.ts'
import type { Entry } from './entries.ts'
import { killed, LedgerFile, readLedger } from './ledger_file.ts'
import { amountIn, leftOf, reload, type SpooledHead } from './message.ts'

export interface SpoolerOptions {
  /** Of this queue alone. */
  readonly directory: string
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** Of the queue. */
  readonly queueBytes: number
  /** How long a window that has ended may be without an acknowledgement while a collector is connected. */
  readonly graceMs: number
  /** Endpoint, or endpoints of which one gets each window. */
  readonly collector: string
}

/** When the spool failed: until it is tried again, doubled each time. */
const LEAST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000
const EXPIRE_MS = 30_000

const REASONS: Readonly<Record<SpoolLoss, Reason>> = {
  size: 'spool_full',
  age: 'spool_old',
  damaged: 'spool_damaged',
}

export class Spooler {
  readonly #queue: Queue
  readonly #options: SpoolerOptions
  readonly #log: ThrottledLog
  readonly #wake: () => void
  #spool: Spool | undefined
  #ledger: LedgerFile | undefined
  /** Connections that are up. */
  #up = 0
  #isStopping = false
  #isReading = false
  #working: Promise<void> | undefined
  #failedMs = 0
  #retryAt = 0
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  /** The window that was spooled last, and the sequence of its first message. */
  #begun = { window: Number.NaN, first: -1 }

  private constructor(queue: Queue, options: SpoolerOptions, log: Logger, wake: () => void) {
    this.#queue = queue
    this.#options = options
    this.#log = new ThrottledLog(log)
    this.#wake = wake
    queue.unspool = serials => this.#spool?.release(serials)
  }

  /**
   * Takes over what earlier runs have left, into the empty queue. A spool that cannot be opened is said and tried again.
   * @param wake called when there may be something to send
   */
  static async open(
    queue: Queue,
    identity: Identity,
    options: SpoolerOptions,
    log: Logger,
    wake: () => void,
  ): Promise<Spooler> {
    const spooler = new Spooler(queue, options, log, wake)
    await spooler.#open(identity, log)
    return spooler
  }

  async #open({ host }: Identity, log: Logger): Promise<void> {
    const { directory, collector } = this.#options
    const { ledger, runs } = this.#queue
    const found = new Map<number, Found>()
    let isLoaded = false
    await this.#try(async () => {
      this.#spool = await openSpool({
        ...this.#options,
        found: record => found.set(record.serial, record),
        dropped: (serials, reason) => {
          if (isLoaded) return this.#dropped(serials, reason)
          ledger.missed(amountIn(serials.map(serial => found.get(serial)!)), REASONS[reason])
          for (const serial of serials) found.delete(serial)
        },
      })
      ledger.missed(this.#spool.losses.damaged, 'spool_damaged')
    })
    isLoaded = true
    const left = reload([...found.values()], host)
    runs.place(left.runs)
    this.#queue.load(leftOf(left.messages, runs))
    this.#spool?.release([...left.refused, ...left.others].map(({ serial }) => serial))
    ledger.missed(amountIn(left.refused), 'killed')
    ledger.missed(amountIn(left.others), 'renamed')
    const before = await readLedger(directory)
    ledger.missed(killed(before, ledger.produced), 'killed')
    this.#ledger = new LedgerFile(directory, { host, collector }, before, () => ledger.accounts)
    this.#expiry = setInterval(() => this.#spool?.expire(), EXPIRE_MS).unref()
    const { windows, rows } = ledger.waiting
    if (windows > 0)
      log.info({ windows, rows }, 'the spool has windows of an earlier run; they are sent first')
    this.#changed()
  }

  /** Of the spool; nothing while it cannot be opened. */
  get stats(): { bytes: number; windows: number; oldest: number | undefined } {
    const { bytes = 0, windows = 0, oldest } = this.#spool?.stats ?? {}
    return { bytes: windows > 0 ? bytes : 0, windows, oldest }
  }

  reached(isUp: boolean): void {
    this.#up += isUp ? 1 : -1
    this.#check()
  }

  /** A message was pushed. */
  pushed(): void {
    this.#changed()
    this.#check()
  }

  acknowledged(): void {
    this.#changed()
  }

  /** What is to be sent next is read, if it is on disk. */
  fetch(): void {
    const serial = this.#queue.missing
    if (serial === undefined || this.#isReading) return
    this.#isReading = true
    void this.#read(serial).finally(() => {
      this.#isReading = false
      this.#wake()
    })
  }

  async #read(serial: number): Promise<void> {
    try {
      const record = await this.#spool?.read(serial)
      // what is not there was dropped, which the queue has been told
      if (record) this.#queue.give(serial, record.frames)
    } catch (error) {
      this.#log.warn('spool', `${(error as Error).message}; it is tried again`)
      await new Promise(resolve => setTimeout(resolve, LEAST_PAUSE_MS))
    }
  }

  /** What waits is kept for the next run, as far as it can be written. */
  async close(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    clearInterval(this.#expiry)
    this.#retryAt = 0
    this.#check()
    while (this.#working) await this.#working
    clearTimeout(this.#timer)
    this.#queue.stop()
    await this.#ledger?.close()
    await this.#spool?.close()
  }

  /** Everything that has ended is put on disk from now on. */
  stopping(): void {
    this.#isStopping = true
    this.#check()
  }

  #dropped(serials: readonly number[], reason: SpoolLoss): void {
    const { produced } = this.#queue.ledger
    this.#queue.lose(serials, REASONS[reason])
    const why =
      reason === 'size' ? 'it is full' : reason === 'age' ? 'they are too old' : 'its files are damaged'
    const what =
      'the oldest windows in the spool are lost; start the collector, or raise --spool-size or --spool-age'
    this.#log.warn(`spool_${reason}`, `${what} (${why}; ${produced.windows} windows were produced)`)
    this.#changed()
    this.#wake()
  }

  #changed(): void {
    this.#ledger?.changed()
  }

  #check(): void {
    if (this.#working) return
    const entries = this.#due()
    if (entries.length > 0) this.#working = this.#append(entries)
  }

  /** What is to be put on disk now. */
  #due(): readonly Entry[] {
    const { queueBytes, graceMs } = this.#options
    const now = performance.now()
    if (now < this.#retryAt) return this.#later(this.#retryAt - now)
    if (this.#queue.bytes > queueBytes / 2) return this.#queue.unspooled(true)
    const ended = this.#queue.unspooled(false)
    const [oldest] = ended
    if (!oldest) return []
    if (this.#isStopping || this.#up === 0 || this.stats.windows > 0) return ended
    const left = oldest.at + graceMs - now
    return left <= 0 ? ended : this.#later(left)
  }

  #later(ms: number): readonly Entry[] {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#check()
    }, ms).unref()
    return []
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    // their memory is not used again while it is written, even if they leave meanwhile
    for (const entry of entries) entry.release = undefined
    await this.#try(async () => {
      // without `found` it leaves alone what earlier runs left: windows of this run may have been sent
      this.#spool ??= await openSpool({
        ...this.#options,
        dropped: (serials, reason) => this.#dropped(serials, reason),
      })
      const serials = await this.#spool.append(entries.map(entry => this.#itemOf(entry)))
      this.#queue.spooled(entries, serials)
      this.#queue.relieve()
    })
    this.#changed()
    this.#working = undefined
    this.#check()
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action()
      this.#failedMs = 0
    } catch (error) {
      this.#failedMs = Math.min(MAX_PAUSE_MS, Math.max(LEAST_PAUSE_MS, this.#failedMs * 2))
      this.#retryAt = performance.now() + this.#failedMs
      this.#log.warn('spool', `${(error as Error).message}; windows wait in memory, up to --queue-size`)
    }
  }

  #itemOf({ window, sequence, rows, isEnd, lost, frames }: Entry): Item {
    if (window !== this.#begun.window) this.#begun = { window, first: sequence }
    const head: SpooledHead = {
      ...this.#queue.runs.keyOf(window),
      sequence,
      first: this.#begun.first,
      isEnd,
      lost,
    }
    return { head, frames: frames!, windows: isEnd ? 1 : 0, rows }
  }
}
