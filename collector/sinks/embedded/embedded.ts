import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Logger } from 'pino'
import { type Batch, countOf } from '../../batch.ts'
import { notFinite, Refused, type Sink } from '../sink.ts'
import { Day, isPassing, setAside } from './day.ts'
import { openInstance } from './instance.ts'
import { type Bounds, dayOf, expired, oldestDay } from './retention.ts'
import { Views } from './views.ts'

export interface EmbeddedOptions extends Bounds {
  readonly directory: string
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const RETENTION_EVERY_MS = 300_000
/** Seconds; from here on a date no longer fits the files' names. */
const YEAR_10000 = 253_402_300_800

/**
 * The store without a server: DuckDB with a file a day in a directory that belongs to this process alone.
 * The queue calls `write` once at a time; queries read on connections of their own.
 */
export class EmbeddedSink implements Sink {
  readonly name = 'embedded'
  readonly counters = { damagedDays: 0, expiredDays: 0 }
  readonly #options: EmbeddedOptions
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #views: Views
  readonly #days = new Map<string, Day>()
  readonly #timer: NodeJS.Timeout
  /** What was asked for last; the next begins when it has ended. */
  #last: Promise<unknown> = Promise.resolve()
  /** Bytes of the store, as of the last look. */
  #bytes = 0

  private constructor(options: EmbeddedOptions, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#options = options
    this.#instance = instance
    this.#connection = connection
    this.#views = new Views(connection)
    this.#timer = setInterval(() => {
      this.retain().catch(error =>
        options.log.error(`retention in ${options.directory}: ${firstLine(error)}`),
      )
    }, RETENTION_EVERY_MS).unref()
  }

  /** @throws when the directory is open in another process. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedSink> {
    const instance = await openInstance(options.directory)
    const sink = new EmbeddedSink(options, instance, await instance.connect())
    try {
      await sink.retain()
      const files = sink.#files().map(({ name }) => /^(\d{4}-\d\d-\d\d)\.duckdb$/.exec(name)?.[1])
      for (const day of files.filter(day => day !== undefined).sort()) await sink.#attach(day)
      await sink.#views.follow(sink.#days.values())
    } catch (error) {
      await sink.close()
      throw error
    }
    return sink
  }

  write(batch: Batch): Promise<void> {
    return this.#alone(() => this.#write(batch))
  }

  /** A connection for one query, to be closed by the caller. It can do what SQL can do; `query/` is the door. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect()
  }

  get measurements(): string[] {
    return this.#views.names
  }

  /** Remove the days that are past their age or too much. Runs by itself every few minutes and at a new day. */
  retain(): Promise<void> {
    return this.#alone(() => this.#retain())
  }

  /** Stop writing, and fold the logs into the files. */
  close(): Promise<void> {
    clearInterval(this.#timer)
    return this.#alone(async () => {
      // Where it fails, on a full disk for example, the log is replayed at the next start.
      for (const day of this.#days.values()) await day.detach().catch(() => {})
      this.#days.clear()
      this.#connection.closeSync()
      this.#instance.closeSync()
    })
  }

  async #write(batch: Batch): Promise<void> {
    const { maxAgeDays, maxBytes, directory } = this.#options
    const count = countOf(batch)
    if (!(Number.isInteger(batch.time) && batch.time >= 0 && batch.time < YEAR_10000))
      throw new Refused('bad_time', count, `a window ends at ${batch.time}, which is no time in seconds`)
    const name = dayOf(batch.time)
    if (name < oldestDay(this.#today(), this.#options))
      throw new Refused(
        'expired',
        count,
        `a window of ${name} is older than the ${maxAgeDays} days that are kept`,
      )
    if (this.#bytes > maxBytes)
      throw new Refused(
        'full',
        count,
        `today's file in ${directory} is above ${maxBytes} bytes: raise --store-size`,
      )
    const known = this.#days.get(name)
    const day = known ?? (await this.#attach(name))
    try {
      await day.write(batch)
    } catch (error) {
      throw await this.#explain(error as Error, day, count)
    }
    await this.#views.follow(this.#days.values())
    if (!known) await this.#retain()
    const refused = notFinite(batch)
    if (refused) throw refused
  }

  async #attach(name: string): Promise<Day> {
    const { directory, log } = this.#options
    const attach = () => Day.attach(this.#connection, directory, name)
    const day = await attach().catch((error: Error) => {
      if (isPassing(error)) throw error
      this.counters.damagedDays++
      const aside = setAside(directory, name, Math.floor(this.#now() / 1000))
      log.error(`${name} in the store is damaged and was renamed to ${aside} (${firstLine(error)})`)
      return attach()
    })
    this.#days.set(name, day)
    return day
  }

  /** The disk and the memory may have room again; what DuckDB says about the samples will not change. */
  async #explain(error: Error, day: Day, samples: number): Promise<Error> {
    if (/^(IO|Out of Memory|TransactionContext|INTERRUPT) Error/.test(error.message))
      return new Error(`cannot write to ${this.#options.directory}: ${firstLine(error)}`)
    if (/^(FATAL|INTERNAL) Error/.test(error.message)) {
      // DuckDB takes no more from this file until it is opened again.
      this.#days.delete(day.name)
      await day.detach().catch(() => {})
      return new Error(`${day.name} in ${this.#options.directory} is opened again: ${firstLine(error)}`)
    }
    return new Refused(
      'bad_samples',
      samples,
      `the embedded store cannot hold these samples: ${firstLine(error)}`,
    )
  }

  async #retain(): Promise<void> {
    const { directory } = this.#options
    const { days, bytes } = expired(this.#files(), this.#today(), this.#options)
    this.#bytes = bytes
    if (days.length === 0) return
    const gone = days.flatMap(name => this.#days.get(name) ?? [])
    for (const { name } of gone) this.#days.delete(name)
    await this.#views.follow(this.#days.values())
    // A query that still reads keeps its file until it ends.
    for (const day of gone) await day.detach()
    for (const { name } of this.#files()) {
      if (days.some(day => name.startsWith(`${day}.`))) unlinkSync(join(directory, name))
    }
    this.counters.expiredDays += days.length
  }

  #files() {
    const { directory } = this.#options
    const sizeOf = (name: string) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
    return readdirSync(directory).map(name => ({ name, bytes: sizeOf(name) }))
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #today(): string {
    return dayOf(this.#now() / 1000)
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? ''
}
