/** Requests to an API server: a document, or a stream of lines. Both have bounds, and an end when the server is silent. */

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Access } from './server.ts'

/** Of a page of 500 pods with large annotations. */
const MAX_DOCUMENT_BYTES = 128 * 2 ** 20
/** Of one object: etcd keeps 1.5 MB. */
const MAX_LINE_BYTES = 8 * 2 ** 20
const MAX_ERROR_BYTES = 4096
const DOCUMENT_SILENCE_MS = 30_000

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

interface Asked {
  readonly path: string
  readonly accept: string
  readonly signal: AbortSignal
}

/** @throws RefusedError, or what the connection throws */
export async function getDocument(access: Access, asked: Asked): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  await open(access, asked, DOCUMENT_SILENCE_MS, chunk => {
    bytes += chunk.length
    if (bytes > MAX_DOCUMENT_BYTES) throw new Error(`the answer has more than ${MAX_DOCUMENT_BYTES} bytes`)
    chunks.push(chunk)
  })
  return JSON.parse(Buffer.concat(chunks).toString())
}

/**
 * Until the server ends it.
 * @param silenceMs without a byte, the connection is taken for dead
 * @param line what it throws ends the stream, and is thrown
 */
export async function getLines(
  access: Access,
  asked: Asked,
  silenceMs: number,
  line: (text: string) => void,
): Promise<void> {
  let rest: Buffer[] = []
  let bytes = 0
  await open(access, asked, silenceMs, chunk => {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const whole = Buffer.concat([...rest, chunk.subarray(start, end)]).toString()
      if (whole.trim() !== '') line(whole)
      rest = []
      bytes = 0
      start = end + 1
    }
    if (start === chunk.length) return
    rest.push(chunk.subarray(start))
    bytes += chunk.length - start
    if (bytes > MAX_LINE_BYTES) throw new Error(`an event has more than ${MAX_LINE_BYTES} bytes`)
  })
}

async function open(
  { url, headers, ca, cert, key, servername }: Access,
  { path, accept, signal }: Asked,
  silenceMs: number,
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
  await new Promise<void>((resolve, reject) => {
    const asked: ClientRequest = request(new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url), {
      ...{ agent: false, signal, headers: { accept, ...headers } },
      ...tls,
    })
    asked.setTimeout(silenceMs, () =>
      asked.destroy(new Error(`it was silent for ${Math.round(silenceMs / 1000)} s`)),
    )
    asked.on('socket', socket => socket.setKeepAlive(true, 30_000))
    asked.on('error', reject)
    asked.on('response', response => {
      response.on('error', reject)
      const isGood = response.statusCode === 200
      const said: Buffer[] = []
      response.on('data', (chunk: Buffer) => {
        try {
          if (isGood) take(chunk)
          else if (said.length === 0) said.push(chunk.subarray(0, MAX_ERROR_BYTES))
        } catch (error) {
          // first: an answer that has ended already gives no error any more
          reject(error as Error)
          asked.destroy()
        }
      })
      response.on('end', () => (isGood ? resolve() : reject(refusalOf(response, said.join('')))))
    })
    asked.end()
  })
}

/** The body is a Status, which has a sentence; a proxy's may be anything. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage, body: string): RefusedError {
  const afterMs = Number(headers['retry-after'] ?? 0) * 1000
  let said = ''
  try {
    said = String((JSON.parse(body) as { message?: unknown }).message ?? '')
  } catch {
    // no Status
  }
  return new RefusedError(statusCode, said, Number.isFinite(afterMs) ? Math.min(afterMs, 300_000) : 0)
}
