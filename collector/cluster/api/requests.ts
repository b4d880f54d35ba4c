/** Requests to an API server: a document, or a stream of lines. Both have bounds, and an end when the server is silent. */

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Access } from './server.ts'

/** Of a page of 500 pods with large annotations. */
const MAX_DOCUMENT_BYTES = 128 * 2 ** 20
/** Of one object: etcd keeps 1.5 MB. */
const MAX_LINE_BYTES = 8 * 2 ** 20
const MAX_ERROR_BYTES = 4096
/** One that comes a byte at a time is never silent. */
const OF_DOCUMENT: Limits = { silenceMs: 30_000, wholeMs: 120_000 }
/** A stream ends later than one that is silent: that is an error, this is not. */
const LATER_MS = 1000

/** The server refused. */
export class RefusedError extends Error {
  readonly status: number
  /** Milliseconds that it asks us to wait. */
  readonly afterMs: number

  constructor(status: number, said: string, afterMs = 0) {
    super(`HTTP ${status}${said === '' ? '' : `: ${said}`}`)
    this.status = status
    this.afterMs = afterMs
  }
}

/** What it sent is not what was asked for. */
export class OddAnswerError extends Error {}

interface Limits {
  readonly silenceMs: number
  readonly wholeMs: number
  /** One that takes longer is ended; else it is an error. */
  readonly isEndless?: true
}

interface Asked {
  readonly path: string
  readonly accept: string
  readonly signal: AbortSignal
}

/** @throws RefusedError, or what the connection throws */
export async function getDocument(access: Access, asked: Asked, limits = OF_DOCUMENT): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  await open(access, asked, limits, chunk => {
    bytes += chunk.length
    if (bytes > MAX_DOCUMENT_BYTES)
      throw new OddAnswerError(`the answer has more than ${MAX_DOCUMENT_BYTES} bytes`)
    chunks.push(chunk)
  })
  return parsed(Buffer.concat(chunks).toString())
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new OddAnswerError((error as Error).message)
  }
}

/**
 * JSON, a document a line, until the server ends it; it is ended when it goes on for longer than it may be silent.
 * @param silenceMs without a byte, the connection is taken for dead
 * @param line what it throws ends the stream, and is thrown
 */
export async function getLines(
  access: Access,
  asked: Asked,
  silenceMs: number,
  line: (document: unknown) => void,
): Promise<void> {
  let rest: Buffer[] = []
  let bytes = 0
  await open(access, asked, { silenceMs, wholeMs: silenceMs + LATER_MS, isEndless: true }, chunk => {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const whole = Buffer.concat([...rest, chunk.subarray(start, end)]).toString()
      if (whole.trim() !== '') line(parsed(whole))
      rest = []
      bytes = 0
      start = end + 1
    }
    if (start === chunk.length) return
    rest.push(chunk.subarray(start))
    bytes += chunk.length - start
    if (bytes > MAX_LINE_BYTES) throw new OddAnswerError(`an event has more than ${MAX_LINE_BYTES} bytes`)
  })
}

async function open(
  { url, headers, ca, cert, key, servername }: Access,
  { path, accept, signal }: Asked,
  { silenceMs, wholeMs, isEndless }: Limits,
  take: (chunk: Buffer) => void,
): Promise<void> {
  // loaded at the first request: these take 17 MB
  const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https')
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const asked: ClientRequest = request(new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url), {
    ...{ agent: false, signal, headers: { accept, ...headers } },
    ...tls,
  })
  const fail = (error: Error) => {
    // first: an answer that has ended already gives no error any more
    reject(error)
    asked.destroy()
  }
  const late = setTimeout(() => {
    if (isEndless) resolve()
    fail(new Error(`it did not end within ${Math.round(wholeMs / 1000)} s`))
  }, wholeMs)
  asked.setTimeout(silenceMs, () => fail(new Error(`it was silent for ${Math.round(silenceMs / 1000)} s`)))
  asked.on('socket', socket => socket.setKeepAlive(true, 30_000))
  asked.on('error', reject)
  asked.on('close', () => reject(new Error('it closed the connection')))
  asked.on('upgrade', (response: IncomingMessage) => fail(refusalOf(response, '')))
  asked.on('response', response => {
    response.on('error', reject)
    const isGood = response.statusCode === 200
    let said = ''
    response.on('data', (chunk: Buffer) => {
      try {
        if (isGood) take(chunk)
        else said += chunk.subarray(0, MAX_ERROR_BYTES).toString()
      } catch (error) {
        fail(error as Error)
      }
      if (said.length >= MAX_ERROR_BYTES) fail(refusalOf(response, said))
    })
    response.on('end', () => (isGood ? resolve() : reject(refusalOf(response, said))))
  })
  asked.end()
  await promise.finally(() => clearTimeout(late))
}

/** The body is a Status, which has a sentence; a proxy's may be anything. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage, body: string): RefusedError {
  const afterMs = Number(headers['retry-after'] ?? 0) * 1000
  let said = headers.location === undefined ? '' : `it sends us to ${headers.location}, which is not followed`
  try {
    said = String((JSON.parse(body) as { message?: unknown }).message ?? '')
  } catch {
    // no Status
  }
  return new RefusedError(statusCode, said, Number.isFinite(afterMs) ? Math.min(afterMs, 300_000) : 0)
}
