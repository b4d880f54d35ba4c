/** A small HTTP server for machines that watch: a few pages to read, and nothing to write. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { Address, Page, Pages } from '../routes.ts'

const MAX_HEADER_BYTES = 8192
const MAX_CONNECTIONS = 16
/** Who is slower than that with a request, or takes nothing of an answer for so long, is let go. */
const REQUEST_MS = 10_000
const STALLED_MS = 30_000
/** An answer that takes longer is broken off, however little at a time is taken of it. */
const ANSWER_MS = 60_000
const CHECKING_MS = 5000
/** Longer than the time from scrape to scrape, so that a scraper finds its connection open. */
const KEEP_ALIVE_MS = 120_000

/** @throws with the address that cannot be bound */
export async function serveHttp(
  { host, port }: Address,
  pages: Pages,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECKING_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    // whoever asked has gone away: there is nobody to tell
    (request, response) => void answer(pages, request, response).catch(() => response.destroy()),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', () => server.closeIdleConnections()) // who comes again finds room
  server.timeout = STALLED_MS
  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw new Error(`cannot listen on ${host}:${port} for Prometheus: ${error.message}`)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function pageOf(pages: Pages, { method, url = '/' }: IncomingMessage): Page {
  const path = url.split('?', 1)[0] as keyof Pages
  if (!Object.hasOwn(pages, path)) return { status: 404, body: `there is ${Object.keys(pages).join(', ')}\n` }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'GET and HEAD only\n' }
  return pages[path]!()
}

async function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status = 200, type = 'text/plain; charset=utf-8', body } = pageOf(pages, request)
  const isZipped = typeof body !== 'string' && /\bgzip\b/.test(String(request.headers['accept-encoding']))
  response.writeHead(status, {
    'content-type': type,
    ...(status !== 200 && { connection: 'close' }),
    ...(status === 405 && { allow: 'GET, HEAD' }),
    ...(isZipped && { 'content-encoding': 'gzip' }),
  })
  if (request.method === 'HEAD') response.end()
  else if (typeof body === 'string') response.end(body)
  else {
    const zip = isZipped ? createGzip({ level: constants.Z_BEST_SPEED }) : new PassThrough()
    await pipeline(body, zip, response, { signal: AbortSignal.timeout(ANSWER_MS) })
  }
}
