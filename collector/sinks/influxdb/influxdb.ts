import { escape as escaped } from '@influxdata/influxdb-client'
import type { Batch } from '../../batch.ts'
import type { HistorySource } from '../history.ts'
import { notFinite, Refused, type Sink } from '../sink.ts'
import { clip, described, explainAnswer, isDoubtful, RefusedWhole, wordsOf } from './answers.ts'
import { explainError, InfluxError, type Server } from './errors.ts'
import { historyOf } from './history.ts'
import { encodeLines, Lines } from './line_protocol.ts'
import { type ProxyEnv, variableOf } from './proxy.ts'
import { RequestSize } from './request_size.ts'
import { findStored, type Range, sift } from './sift.ts'
import { type Answer, Transport } from './transport.ts'
import { splitLogin } from './url.ts'
import { majorOf } from './version.ts'

export interface InfluxOptions {
  /** `https://host:8086`; a `user:password@` in it is taken out and used as the login. */
  readonly url: string
  /** Detected by `GET /ping` if not given. */
  readonly version?: 1 | 2 | 3 | undefined
  /** The database, which is called bucket in 2.x. */
  readonly database: string
  /** 2.x only. */
  readonly org?: string | undefined
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** 1.x only; the database's default policy if not given. */
  readonly retentionPolicy?: string | undefined
  /** 1.x only: create the database when it does not exist. */
  readonly createDatabase: boolean
  /** File with the certificate of the authority that signed the server's. */
  readonly ca?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
  readonly timeoutMs: number
  readonly gzip: boolean
  readonly linesPerRequest: number
  /** Environment with the proxy variables; default: the program's own. */
  readonly env?: ProxyEnv
}

const NOTHING = Buffer.alloc(0)

/** InfluxDB 1.x, 2.x and 3.x. Writing a batch again overwrites the same points, so one copy is left. */
export class InfluxSink implements Sink {
  readonly name = 'influxdb'
  readonly #options: InfluxOptions
  readonly #server: Server
  readonly #transport: Transport
  /** Questions of people do not wait for writes. */
  readonly #reader: Transport
  readonly history: HistorySource
  /** The queue calls `write` once at a time. */
  readonly #lines = new Lines()
  readonly #size: RequestSize
  #writePath: string | undefined
  /** A single batch is being written. Among several, the queue finds the failing one with fewer requests. */
  #isAlone = true

  /** @throws when a setting cannot work: the url, the ca file, the token, a name with a line break */
  constructor(options: InfluxOptions) {
    const { url, ...login } = splitLogin(options.url)
    const { database, retentionPolicy, token, ca, insecureSkipVerify, timeoutMs, gzip } = options
    const env = options.env ?? process.env
    const username = options.username ?? login.username
    const password = options.password ?? login.password ?? ''
    printable('--influx-database or INFLUX_DATABASE', database)
    printable('--influx-org or INFLUX_ORG', options.org)
    printable('--influx-retention-policy', retentionPolicy)
    this.#options = options
    this.#size = new RequestSize(options.linesPerRequest)
    const way = { url, token, username, password, ca, insecureSkipVerify, timeoutMs, gzip, env }
    this.#transport = new Transport(way)
    this.#reader = new Transport(way)
    this.history = historyOf(this.#reader, { database, retentionPolicy })
    const proxy = variableOf(url, env)
    this.#server = { url, database, retentionPolicy, user: username, timeoutMs, proxy }
  }

  write(batch: Batch): Promise<void> {
    return this.writeAll([batch])
  }

  async writeAll(batches: readonly Batch[]): Promise<void> {
    this.#isAlone = batches.length === 1
    const refusals = batches.flatMap(batch => notFinite(batch) ?? [])
    for (const lines of encodeLines(batches, this.#options.linesPerRequest, this.#lines))
      while (lines.count > 0) refusals.push(...(await this.#send(lines)))
    const last = refusals.at(-1)
    if (last)
      throw new Refused(
        last.reason,
        refusals.reduce((sum, r) => sum + r.samples, 0),
        last.message,
      )
  }

  async close(): Promise<void> {
    this.#transport.close()
    this.#reader.close()
  }

  /** Sends the first lines and removes them, unless they must be sent again. */
  async #send(lines: Lines): Promise<readonly Refused[]> {
    const count = Math.min(lines.count, this.#size.lines)
    const failure = await this.#try(lines, { from: 0, count })
    if (failure instanceof InfluxError && failure.status === 413) {
      this.#size.tooLarge(count)
      if (count > 1) return []
    }
    if (failure instanceof InfluxError && failure.fault !== 'batch') throw failure
    const isSearched = failure instanceof InfluxError || failure instanceof RefusedWhole
    const refused = isSearched ? await this.#sift(lines, count, failure) : failure ? [failure] : []
    lines.take(count)
    return refused
  }

  /** Finds the lines that make a request fail and stores the others. @throws if the lines are not the cause */
  async #sift(lines: Lines, count: number, failure: InfluxError | Refused): Promise<Refused[]> {
    if (!this.#isAlone) throw failure
    const refused: Refused[] = []
    const isStored = async (range: Range): Promise<boolean> => {
      const again = await this.#try(lines, range)
      if (again instanceof InfluxError && again.fault !== 'batch') throw again
      if (again instanceof InfluxError || again instanceof RefusedWhole) return false
      const { from } = range
      if (again && range.count > 1) refused.push(again)
      else if (again)
        refused.push(new Refused(again.reason, 1, `${again.message}; ${place(lines, from, count)}`))
      return true
    }
    const isSure =
      failure instanceof Refused ||
      (failure.reason === 'unreadable' && (await this.#isInflux())) ||
      (count === 1 && (await this.#areOthersStored(lines, isStored)))
    refused.length = 0 // refusals found so far do not count: the same lines are sent again
    const bad = await sift(count, isStored, isSure)
    if (!bad) throw failure
    for (const { from, count: some } of bad) {
      const what = `${some} samples are dropped, ${place(lines, from, count)}`
      refused.push(new Refused(failure.reason, some, `${failure.message}; ${what}`))
    }
    return refused
  }

  /** Whether other lines are stored now while the first is not: the lines after it, or, if it is the last, the line before. */
  async #areOthersStored(lines: Lines, isStored: (range: Range) => Promise<boolean>): Promise<boolean> {
    const after = { from: 1, count: lines.count - 1 }
    const before = { from: -1, count: 1 }
    const others = after.count > 0 ? after : before
    return (after.count > 0 || lines.taken > 0) && (await findStored(others, isStored)) !== undefined
  }

  /** @returns why some lines were not stored; undefined if they were */
  async #try(lines: Lines, { from, count }: Range): Promise<InfluxError | Refused | undefined> {
    const write = async () => {
      const answer = await this.#ask('POST', await this.#path(), lines.bytes(count, from))
      const isInflux = isDoubtful(answer) && (await this.#isInflux())
      return explainAnswer(answer, this.#server, count, isInflux)
    }
    try {
      let result = await write()
      if (await this.#isCreated(result)) result = await write()
      if (result instanceof InfluxError && result.fault !== 'batch') this.#writePath = undefined
      // a request that is partly refused is partly stored
      if (result === undefined || (result instanceof Refused && result.samples < count))
        this.#size.stored(count)
      return result
    } catch (error) {
      // The server may run another version when it comes back: detect it again.
      this.#writePath = undefined
      return explainError(error, this.#server)
    }
  }

  /** Creates the database if it was missing. @returns whether it did */
  async #isCreated(result: InfluxError | Refused | undefined): Promise<boolean> {
    const version1 = this.#writePath?.startsWith('/write?')
    const isMissing = result instanceof InfluxError && result.reason === 'no_database'
    if (!isMissing || !version1 || !this.#options.createDatabase) return false
    await this.#createDatabase()
    return true
  }

  /** No answer to this request concerns the samples. @throws {InfluxError} */
  async #createDatabase(): Promise<void> {
    const { url, database, user } = this.#server
    const query = `CREATE DATABASE ${escaped.quoted(database)}`
    const answer = await this.#ask('POST', `/query?q=${encodeURIComponent(query)}`, NOTHING)
    const { status, json } = answer
    const [result] = Array.isArray(json?.['results']) ? (json['results'] as { error?: unknown }[]) : []
    if (status === 200 && result && result.error === undefined) return
    const missing = `database "${database}" does not exist in InfluxDB at ${url}`
    const words = String(result?.error ?? wordsOf(answer) ?? described(answer))
    throw new InfluxError(
      'no_database',
      status === 403
        ? `${missing} and user "${user}" may not create it: run ${query} as an administrator and grant WRITE on it`
        : `${missing} and cannot be created (${status} ${clip(words)}): create it, or correct --influx-database`,
      { status },
    )
  }

  async #path(): Promise<string> {
    if (this.#writePath === undefined) {
      const { database, org, retentionPolicy } = this.#options
      const version = this.#options.version ?? (await this.#version())
      if (version === 2 && org === undefined)
        throw new InfluxError(
          'no_org',
          `InfluxDB 2 at ${this.#server.url} needs the organisation: give --influx-org or INFLUX_ORG`,
        )
      const query =
        version === 1
          ? { db: database, ...(retentionPolicy === undefined ? {} : { rp: retentionPolicy }) }
          : { ...(org === undefined ? {} : { org }), bucket: database }
      const path = version === 1 ? '/write' : '/api/v2/write'
      this.#writePath = `${path}?${new URLSearchParams({ ...query, precision: 's' })}`
    }
    return this.#writePath
  }

  async #version(): Promise<number> {
    return majorOf(await this.#ask('GET', '/ping', NOTHING), this.#options)
  }

  /** GET /ping shows it: 1.x, 2.x and 3.x send their version. */
  async #isInflux(): Promise<boolean> {
    return this.#ask('GET', '/ping', NOTHING).then(
      ({ headers }) => headers['x-influxdb-version'] !== undefined,
      () => false,
    )
  }

  #ask(method: string, path: string, body: Buffer): Promise<Answer> {
    return this.#transport.send(method, path, body)
  }
}

const place = (lines: Lines, from: number, count: number) =>
  `line ${from + 1} of ${count}: ${clip(lines.bytes(1, from).toString(), 200)}`

/** @throws if the name has a character that no server accepts, such as the carriage return of a Windows file */
export function printable(setting: string, name: string | undefined): void {
  const control = /\p{Cc}/u.exec(name ?? '')
  if (control)
    throw new Error(
      `${setting}: its character ${control.index + 1} is a control character (a line break of a file?): write the name without it`,
    )
}
