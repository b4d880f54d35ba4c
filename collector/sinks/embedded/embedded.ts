import type { Logger } from 'pino'
import { type Batch, countOf } from '../../batch.ts'
import { notFinite, Refused, type Sink } from '../sink.ts'
import { cutLog, firstLine, hasForeignLog, isCorrupt, isDamaged, isLogDamage, isMemory } from './damage.ts'
import {
  filesIn,
  hasRoom,
  lastOf,
  nextAfter,
  pathOf,
  removeDays,
  SEGMENT_BYTES,
  type SegmentFile,
} from './files.ts'
import { openInstance } from './instance.ts'
import { type Days, Lending, type Loan } from './lending.ts'
import { exists, oddFilesOf, setAside } from './odd_files.ts'
import { type Identity, identityOf, isSame, makePlace } from './place.ts'
import { cannotWrite, failureOf, refusalOf } from './refusal.ts'
import { type Bounds, dayOf, expired } from './retention.ts'
import { Segment } from './segment.ts'

export interface EmbeddedOptions extends Bounds {
  readonly directory: string
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const RETENTION_EVERY_MS = 300_000
/** Most open segments: today's, and those of days with late windows. */
const MAX_ATTACHED = 4

type Open = Awaited<ReturnType<typeof openInstance>> & { readonly place: Identity }

/**
 * The store without a server: DuckDB with files for each day in a directory that only this process uses.
 * The queue calls `write` once at a time. Queries run in separate processes and read the files from `lend`.
 */
export class EmbeddedSink implements Sink {
  readonly name = 'embedded'
  readonly counters = { damagedDays: 0, damagedLogs: 0, expiredDays: 0, reopened: 0 }
  #options: EmbeddedOptions
  #open: Open | undefined
  /** Open segments by day; the one written last is at the end. */
  readonly #segments = new Map<string, Segment>()
  readonly #lending: Lending
  /** Segments that are not written again after a failure. */
  readonly #left = new Set<string>()
  readonly #timer: NodeJS.Timeout
  /** The last operation; the next one begins when it has ended. */
  #last: Promise<unknown> = Promise.resolve()
  /** Bytes of the store when last measured. */
  #bytes = 0
  #trouble: string | undefined
  /** DuckDB may keep a file that it could not close. */
  #isStuck = false

  private constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#lending = new Lending(options.directory)
    this.#timer = setInterval(() => {
      this.retain().catch(error =>
        options.log.error(`retention in ${options.directory}: ${firstLine(error)}`),
      )
    }, RETENTION_EVERY_MS).unref()
  }

  /** @throws if another process has the directory open, or it cannot be created. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedSink> {
    const sink = new EmbeddedSink(options)
    try {
      await sink.#begin()
      sink.#lending.clear()
      await sink.retain()
    } catch (error) {
      await sink.close()
      throw error
    }
    return sink
  }

  write(batch: Batch): Promise<void> {
    return this.#alone(async () => {
      try {
        await this.#write(batch)
        this.#trouble = undefined
      } catch (error) {
        if (error instanceof Refused) {
          this.#trouble = undefined
          throw error
        }
        const failure =
          'syscall' in (error as Error)
            ? cannotWrite(this.#options.directory, error as Error)
            : (error as Error)
        this.#trouble = failure.message
        throw failure
      }
    })
  }

  /** Why nothing can be written, if the last write failed and its samples were not the cause. */
  health(): string | undefined {
    return this.#trouble
  }

  /** The files for one query, as of the last write. */
  lend(days: Days = {}): Promise<Loan> {
    return this.#alone(async () => {
      await this.#closeEarlier() // a log takes longer to read than a file
      return this.#lending.lend(new Set(this.#segments.values().map(({ name }) => name)), days)
    })
  }

  /** From now on; what is beyond goes the next time that days are removed. */
  limit(bounds: Partial<Bounds>): void {
    this.#options = { ...this.#options, ...bounds }
  }

  /**
   * Removes the days that are too old or exceed the size, and closes those without recent windows. Runs every few minutes
   * and when a new day begins.
   */
  retain(): Promise<void> {
    return this.#alone(async () => {
      await this.#closeEarlier()
      await this.#retain()
    })
  }

  /** Stops writing and merges the logs into the files. */
  close(): Promise<void> {
    clearInterval(this.#timer)
    return this.#alone(() => this.#end())
  }

  async #write(batch: Batch): Promise<void> {
    const count = countOf(batch)
    const refusal = refusalOf(batch, count, this.#now() / 1000, this.#bytes, this.#options)
    if (refusal) throw refusal
    const day = dayOf(batch.time)
    await this.#look(day)
    const isNew = !this.#segments.has(day)
    const segment = await this.#segmentOf(day)
    try {
      await segment.write(batch)
    } catch (error) {
      throw await this.#explain(error as Error, segment, count)
    }
    if (segment.bytes >= SEGMENT_BYTES) await this.#detach(day)
    if (isNew) await this.#retain()
    const refused = notFinite(batch)
    if (refused) throw refused
  }

  /** Writes go to the open files, even if their names were removed or replaced. */
  async #look(day: string): Promise<void> {
    const { directory, log } = this.#options
    const isPlace = this.#open && isSame(this.#open.place, identityOf(directory))
    const segment = this.#segments.get(day)
    const isThere = isPlace && segment?.isThere !== false
    if (isThere && !this.#isStuck) return
    if (!isThere && this.#open) {
      const what = isPlace ? segment!.path : directory
      log.error(
        `${what} was removed or replaced, and the stored samples with it; the store begins again there`,
      )
      this.counters.reopened++
    }
    await this.#end()
    await this.#begin()
  }

  async #segmentOf(day: string): Promise<Segment> {
    const segment = this.#segments.get(day) ?? (await this.#attach(day))
    this.#segments.delete(day)
    this.#segments.set(day, segment)
    const [longest] = this.#segments.keys()
    if (this.#segments.size > MAX_ATTACHED) await this.#detach(longest!)
    return segment
  }

  /** The day's last segment if it is writable, or a new one. */
  async #attach(day: string): Promise<Segment> {
    const { directory, log } = this.#options
    this.#setOddAside(day)
    const last = lastOf(directory, day)
    const path = last && pathOf(directory, last.name)
    const isFree = path && !this.#left.has(last.name) && !this.#lending.isLent(path) && hasRoom(path)
    const known = isFree && (await this.#attachAgain(last))
    if (known) return known
    const before = lastOf(directory, day) // damaged segments have been renamed
    const begin = (name?: string) =>
      Segment.attach(this.#open!.connection, directory, nextAfter(day, before), name)
    try {
      return await begin(before?.name)
    } catch (error) {
      if (!before || !(isCorrupt(error as Error) || isLogDamage(error as Error)))
        throw cannotWrite(this.#options.directory, error as Error)
      log.error(
        `the windows of ${before.name} cannot be read (${firstLine(error as Error)}); the next segment does not know them`,
      )
      return begin()
    }
  }

  /** The day's places that are taken by no regular file. */
  #setOddAside(day: string): void {
    for (const { path, isLog, kind } of oddFilesOf(this.#options.directory, day)) {
      if (!exists(path)) continue // a log that was renamed with its file
      if (isLog) this.counters.damagedLogs++
      else this.counters.damagedDays++
      const aside = setAside(path, Math.floor(this.#now() / 1000), isLog ? [''] : undefined)
      this.#options.log.error(
        `${path} is ${kind} and no file; it was renamed to ${aside}, the store goes on without it`,
      )
    }
  }

  /** @returns undefined if it was damaged and has been renamed */
  async #attachAgain({ name }: SegmentFile): Promise<Segment | undefined> {
    const { directory, log } = this.#options
    const path = pathOf(directory, name)
    const cut = (error?: Error) => {
      this.counters.damagedLogs++
      const aside = cutLog(path, Math.floor(this.#now() / 1000), error)
      log.error(
        `the log of ${name} is damaged${error ? ` (${firstLine(error)})` : ''}; the unreadable part was moved to ${aside}`,
      )
    }
    if (hasForeignLog(path)) cut()
    const attach = () => Segment.attach(this.#open!.connection, directory, name)
    try {
      return await attach().catch(error => {
        if (!isLogDamage(error)) throw error
        cut(error)
        return attach()
      })
    } catch (error) {
      if (isMemory(error as Error)) throw await this.#explain(error as Error, { name }, 0)
      if (!(isCorrupt(error as Error) && (await isDamaged(path))))
        throw cannotWrite(this.#options.directory, error as Error)
      this.counters.damagedDays++
      const aside = setAside(path, Math.floor(this.#now() / 1000))
      log.error(`${name} in the store is damaged (${firstLine(error as Error)}); it was renamed to ${aside}`)
      return undefined
    }
  }

  async #explain(error: Error, { name }: Pick<Segment, 'name'>, samples: number): Promise<Error> {
    if (isMemory(error) || isCorrupt(error)) {
      // DuckDB refuses further writes to this file, or to any, until it is opened again.
      this.#left.add(name)
      this.counters.reopened++
      await this.#end()
      return new Error(
        `${name} in ${this.#options.directory} refuses writes (${firstLine(error)}); the store is opened again and continues in another segment`,
      )
    }
    return failureOf(error, samples, this.#options.directory)
  }

  async #begin(): Promise<void> {
    const place = makePlace(this.#options.directory)
    this.#open = { ...(await openInstance(this.#options.directory)), place }
  }

  async #end(): Promise<void> {
    for (const day of [...this.#segments.keys()]) await this.#detach(day)
    this.#open?.connection.closeSync()
    this.#open?.instance.closeSync()
    this.#open = undefined
    this.#isStuck = false
  }

  /** All days except the one written last. */
  async #closeEarlier(): Promise<void> {
    for (const day of [...this.#segments.keys()].slice(0, -1)) await this.#detach(day)
  }

  /** If it fails, for example on a full disk, the log is replayed when DuckDB is opened again, at the next write. */
  async #detach(day: string): Promise<void> {
    const segment = this.#segments.get(day)
    this.#segments.delete(day)
    await segment?.detach().catch(() => {
      this.#isStuck = true
    })
  }

  async #retain(): Promise<void> {
    const { directory } = this.#options
    const { days, bytes } = expired(filesIn(directory), dayOf(this.#now() / 1000), this.#options)
    this.#bytes = bytes
    if (days.length === 0) return
    for (const day of days) await this.#detach(day)
    // A running query keeps its file until it ends.
    removeDays(directory, days)
    this.counters.expiredDays += days.length
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}
