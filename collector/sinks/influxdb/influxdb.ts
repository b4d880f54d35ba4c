import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { escape as escaped, InfluxDB, type ResponseStartedFn, setLogger } from '@influxdata/influxdb-client'
import type { Batch } from '../../batch.ts'
import { notFinite, Refused, type Sink } from '../sink.ts'
import { explain, InfluxError, partial, type Server } from './errors.ts'
import { encode, Lines } from './line_protocol.ts'
import { splitLogin } from './url.ts'

export interface InfluxOptions {
  /** `https://host:8086`; a `user:password@` in it is taken out and used as the login. */
  readonly url: string
  /** Found out from `GET /ping` when not said. */
  readonly version?: 1 | 2 | 3 | undefined
  /** The database, which is called bucket in 2.x. */
  readonly database: string
  /** 2.x only. */
  readonly org?: string | undefined
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** 1.x only; the database's default one when not said. */
  readonly retentionPolicy?: string | undefined
  /** 1.x only: create the database when it does not exist. */
  readonly createDatabase: boolean
  /** File with the certificate of the authority that signed the server's. */
  readonly ca?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
  readonly timeoutMs: number
  readonly gzip: boolean
  readonly linesPerRequest: number
}

/** Below this the gzip header outweighs what it saves. */
const GZIP_FROM_BYTES = 1000
const NOTHING = Buffer.alloc(0)

// The client writes failures to the console; ours go to the log, once, in a sentence.
setLogger({ error() {}, warn() {} })

/** InfluxDB 1.x, 2.x and 3.x. Writing a batch again overwrites the same points, so one copy is left. */
export class InfluxSink implements Sink {
  readonly name = 'influxdb'
  readonly #options: InfluxOptions
  readonly #server: Server
  readonly #client: InfluxDB
  readonly #agent: HttpAgent
  /** Of the request that is on its way, or was last. */
  #abort: AbortController | undefined
  #isClosed = false
  /** The queue calls `write` once at a time. */
  readonly #lines = new Lines()
  #writePath: string | undefined
  /** Halved when the server answers 413. */
  #linesPerRequest: number

  /** @throws when the url is not one or the ca file cannot be read. */
  constructor(options: InfluxOptions) {
    const { url, ...login } = splitLogin(options.url)
    const username = options.username ?? login.username
    const password = options.password ?? login.password ?? ''
    const secure = url.startsWith('https:')
    this.#options = options
    this.#linesPerRequest = options.linesPerRequest
    this.#server = { url, database: options.database, user: username, timeoutMs: options.timeoutMs }
    this.#agent = secure
      ? new HttpsAgent({
          keepAlive: true,
          rejectUnauthorized: !options.insecureSkipVerify,
          ...(options.ca === undefined ? {} : { ca: readCa(options.ca) }),
        })
      : new HttpAgent({ keepAlive: true })
    this.#client = new InfluxDB({
      url,
      timeout: options.timeoutMs,
      transportOptions: { agent: this.#agent },
      // InfluxDB 1.6 understands Basic only, and a token beside it would win.
      ...(options.token !== undefined
        ? { token: options.token }
        : username !== undefined
          ? {
              headers: {
                authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
              },
            }
          : {}),
    })
  }

  write(batch: Batch): Promise<void> {
    return this.writeAll([batch])
  }

  async writeAll(batches: readonly Batch[]): Promise<void> {
    const refusals = batches.flatMap(batch => notFinite(batch) ?? [])
    for (const lines of encode(batches, this.#options.linesPerRequest, this.#lines))
      while (lines.count > 0) {
        const refusal = await this.#send(lines)
        if (refusal) refusals.push(refusal)
      }
    const last = refusals.at(-1)
    if (last)
      throw new Refused(
        last.reason,
        refusals.reduce((sum, r) => sum + r.samples, 0),
        last.message,
      )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#abort?.abort()
    this.#agent.destroy()
  }

  /** Send the first lines and take them away, unless they have to be sent again. */
  async #send(lines: Lines, created = false): Promise<Refused | undefined> {
    const count = Math.min(lines.count, this.#linesPerRequest)
    try {
      let status: number | undefined
      const answer = await this.#request('POST', await this.#path(), lines.bytes(count), (_, code) => {
        status = code
      })
      lines.take(count)
      if (status !== 201) return undefined
      // 3.x in its hosted form answers so when some lines were not stored.
      const json = JSON.parse(answer || '{}') as { error?: string; message?: string }
      return partial(json, json.error ?? json.message ?? '', this.#server, count)
    } catch (error) {
      if (statusOf(error) === 413 && count > 1) {
        this.#linesPerRequest = Math.ceil(count / 2)
        return undefined
      }
      const failure = explain(error, this.#server, count)
      if (failure instanceof Refused) {
        lines.take(count)
        return failure
      }
      // The server may be another one when it comes back: ask it again who it is.
      const version1 = this.#writePath?.startsWith('/write?')
      this.#writePath = undefined
      if (failure.reason !== 'no_database' || !version1 || created || !this.#options.createDatabase)
        throw failure
      await this.#createDatabase()
      return this.#send(lines, true)
    }
  }

  async #createDatabase(): Promise<void> {
    const { url, database, user } = this.#server
    const query = `CREATE DATABASE ${escaped.quoted(database)}`
    await this.#request('POST', `/query?q=${encodeURIComponent(query)}`, NOTHING).catch(error => {
      if (statusOf(error) !== 403) throw explain(error, this.#server, 0)
      throw new InfluxError(
        'no_database',
        `database "${database}" does not exist in InfluxDB at ${url} and user "${user}" may not create it: run ${query} as an administrator and grant WRITE on it`,
        404,
      )
    })
  }

  async #path(): Promise<string> {
    if (this.#writePath === undefined) {
      const { database, org, retentionPolicy } = this.#options
      const version = this.#options.version ?? (await this.#version())
      if (version === 2 && org === undefined)
        throw new InfluxError(
          'no_org',
          `InfluxDB 2 at ${this.#server.url} wants to know the organisation: give --influx-org or INFLUX_ORG`,
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

  /** `1.6.7`, `v2.7.1` or `3.0.1` in a header of GET /ping; a server that hides it is told apart by the login. */
  async #version(): Promise<number> {
    let header: unknown
    try {
      await this.#request('GET', '/ping', NOTHING, headers => {
        header = headers['x-influxdb-version']
      })
    } catch (error) {
      // 3.x wants a token even here, but has said who it is.
      if (statusOf(error) === undefined) throw error
    }
    const major = /^v?([123])\./.exec(String(header))?.[1]
    return Number(major ?? (this.#options.token === undefined ? 1 : 2))
  }

  /**
   * @param body the client asks for text and makes it bytes, by Buffer.from(): bytes are copied as they are
   * @param started told what the answer begins with
   * @returns the rest of it
   */
  async #request(method: string, path: string, body: Buffer, started: ResponseStartedFn = () => {}) {
    const { timeoutMs, gzip } = this.#options
    const abort = new AbortController()
    // not AbortSignal.timeout(): until its time has come it keeps the request and its bytes, a window's 100 MB
    const timer = setTimeout(() => abort.abort(), timeoutMs)
    this.#abort = abort
    if (this.#isClosed) abort.abort()
    const how = {
      method,
      headers: { 'content-type': 'text/plain; charset=utf-8', accept: 'application/json' },
      ...(gzip ? { gzipThreshold: GZIP_FROM_BYTES } : {}),
      signal: abort.signal,
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const answer: Uint8Array[] = []
    this.#client.transport.send(path, body as unknown as string, how, {
      responseStarted: started,
      next: chunk => void answer.push(chunk),
      complete: () => resolve(Buffer.concat(answer).toString()),
      error: reject,
    })
    return promise.finally(() => clearTimeout(timer))
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode
}

function readCa(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Error(`--influx-ca: cannot read ${path} (${(error as { code?: string }).code})`)
  }
}
