import { readFileSync } from 'node:fs'
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request as requestByHttp,
} from 'node:http'
import { Agent as HttpsAgent, request as requestByHttps } from 'node:https'
import { Readable } from 'node:stream'
import { HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client'
import { type ProxyEnv, proxyEnvOf } from './proxy.ts'

/** The answer to a request, from InfluxDB or any other program. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most `ANSWER_BYTES`. */
  readonly text: string
  /** The text was cut. */
  readonly isCut: boolean
  /** The text is compressed: no encoding was requested, so none is undone. */
  readonly isCompressed: boolean
  /** `text` parsed, if it is a JSON object. */
  readonly json: Record<string, unknown> | undefined
}

export interface TransportOptions {
  readonly url: string
  readonly token: string | undefined
  readonly username: string | undefined
  readonly password: string
  readonly ca: string | undefined
  readonly insecureSkipVerify: boolean | undefined
  readonly timeoutMs: number
  readonly gzip: boolean
  readonly env: ProxyEnv
}

/** Below this size the gzip header costs more than it saves. */
const GZIP_FROM_BYTES = 1000
/** The content-encoding under a name that the client does not know: it would decompress. */
const ENCODED = 'x-sockflux-encoding'
/** The content type of line protocol. */
const LINES = 'text/plain; charset=utf-8'
/** The start of gzip (RFC 1952) and zstd (RFC 8878), read as UTF-8, for answers without a content-encoding. */
const COMPRESSED = ['\x1f\ufffd', '(\ufffd/\ufffd']
/** InfluxDB 1 lists every line that it could not parse: enough for 5000 lines. The rest of an answer is not read. */
const ANSWER_BYTES = 1_048_576

// The client writes failures to the console; ours go to the log, once.
setLogger({ error() {}, warn() {} })

/** InfluxData's client, which does logins and gzip; bounded here in time and in the size of an answer. */
export class Transport {
  readonly #client: InfluxDB
  readonly #agent: HttpAgent
  readonly #timeoutMs: number
  readonly #gzip: boolean
  /** Of the current request, or the last one. */
  #abort: AbortController | undefined
  #isClosed = false

  /** @throws when the ca file cannot be read or the token cannot be sent */
  constructor(options: TransportOptions) {
    const { url, token, username, password, timeoutMs } = options
    this.#timeoutMs = timeoutMs
    this.#gzip = options.gzip
    this.#agent = agentFor(options)
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    this.#client = new InfluxDB({
      url,
      timeout: timeoutMs,
      // The client's option for another `request`: its own keeps an answer of any length in memory.
      transportOptions: {
        agent: this.#agent,
        'follow-redirects': {
          http: { request: cutting(requestByHttp) },
          https: { request: cutting(requestByHttps) },
        },
      },
      // InfluxDB 1.6 reads Basic only, and a token would win over it.
      ...(token !== undefined
        ? { token: sendable(token) }
        : username !== undefined
          ? { headers: { authorization: basic } }
          : {}),
    })
  }

  /**
   * @param body the client's type is text, which it passes to Buffer.from(): bytes are copied unchanged
   * @throws only if there is no readable answer
   */
  async send(method: string, path: string, body: Buffer, type = LINES): Promise<Answer> {
    const abort = new AbortController()
    // not AbortSignal.timeout(): until it expires it keeps the request and its bytes, 100 MB for a large window
    const timer = setTimeout(() => abort.abort(), this.#timeoutMs)
    this.#abort = abort
    if (this.#isClosed) abort.abort()
    const how = {
      method,
      headers: { 'content-type': type, accept: 'application/json' },
      ...(this.#gzip ? { gzipThreshold: GZIP_FROM_BYTES } : {}),
      signal: abort.signal,
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const read: Uint8Array[] = []
    let head: { status: number; headers: IncomingHttpHeaders } = { status: 0, headers: {} }
    this.#client.transport.send(path, body as unknown as string, how, {
      responseStarted: (headers, status = 0) => {
        head = { status, headers }
      },
      next: chunk => void read.push(chunk),
      complete: () => resolve(answerOf(head.status, head.headers, Buffer.concat(read).toString())),
      error: error =>
        error instanceof HttpError
          ? resolve(answerOf(error.statusCode, head.headers, error.body ?? ''))
          : reject(error),
    })
    return promise.finally(() => clearTimeout(timer))
  }

  close(): void {
    this.#isClosed = true
    this.#abort?.abort()
    this.#agent.destroy()
  }
}

type Requesting = (options: RequestOptions, answered: (response: IncomingMessage) => void) => ClientRequest

const cutting =
  (request: Requesting): Requesting =>
  (options, answered) => {
    const answer = (response: IncomingMessage) => answered(cut(response))
    // 101 with an upgrade is no response for Node: without a listener it is a time-out
    return request(options, answer).on('upgrade', (response, socket) => {
      socket.destroy()
      answer(response)
    })
  }

/** The parts of the answer that the client needs, with the beginning of its body. */
function cut(response: IncomingMessage): IncomingMessage {
  const { statusCode, statusMessage } = response
  // gzip was not requested, and the bytes could expand a thousandfold
  const { 'content-encoding': encoding, ...headers } = response.headers
  // what follows 101 is no body: it would be read until the time-out
  if (statusCode === 101) response.destroy()
  return Object.assign(Readable.from(statusCode === 101 ? [] : beginning(response)), {
    statusCode,
    statusMessage,
    headers: { ...headers, [ENCODED]: encoding },
  }) as unknown as IncomingMessage
}

async function* beginning(response: IncomingMessage): AsyncGenerator<Buffer> {
  let left = ANSWER_BYTES
  for await (const chunk of response as AsyncIterable<Buffer>) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return // this closes the connection
  }
}

function answerOf(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const isCompressed =
    COMPRESSED.some(start => text.startsWith(start)) ||
    (text !== '' && !/^(identity)?$/i.test(String(headers[ENCODED] ?? '')))
  const isCut = Buffer.byteLength(text) >= ANSWER_BYTES
  return { status, headers, text, isCut, isCompressed, json: objectOf(text) }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function agentFor({ url, ca, insecureSkipVerify, env }: TransportOptions): HttpAgent {
  const proxyEnv = proxyEnvOf(url, env)
  const common = { keepAlive: true, ...(proxyEnv ? { proxyEnv } : {}) }
  if (!url.startsWith('https:')) return new HttpAgent(common)
  return new HttpsAgent({
    ...common,
    rejectUnauthorized: !insecureSkipVerify,
    ...(ca === undefined ? {} : { ca: readCa(ca) }),
  })
}

/** Node refuses a header with a line break or a typographic quote, but only at the first request; checked here at start. */
function sendable(token: string): string {
  const at = token.search(/[^\t\x20-\x7e\x80-\xff]/)
  if (at < 0) return token
  const code = token.codePointAt(at)!.toString(16).toUpperCase().padStart(4, '0')
  throw new Error(
    `--influx-token or INFLUX_TOKEN: its character ${at + 1} (U+${code}) cannot be sent: write the token without it`,
  )
}

function readCa(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Error(`--influx-ca: cannot read ${path} (${(error as { code?: string }).code})`)
  }
}
