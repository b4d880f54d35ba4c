/**
 * A small HTTP server, on a unix socket or over TCP. `sockflux query` and `top` speak to it, `curl --unix-socket`, and
 * Prometheus.
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { Address, Answer, Answers, Pages, Routes, Tls, Web } from '../routes.ts'
import { makeRoom, ownerOnly } from '../unix_socket.ts'
import { jsonOf, pagesOf } from './answers.ts'
import { boundConnections } from './connections.ts'
import { acceptsGzip } from './encodings.ts'

/** A client that takes longer to send its request, or that reads nothing of an answer for so long, is disconnected. */
const REQUEST_MS = 10_000
const STALLED_MS = 30_000
/** An answer that takes longer is aborted, also while the client reads it slowly. */
const ANSWER_MS = 60_000
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: REQUEST_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: 5000,
  /** Longer than the time from scrape to scrape, so that a scraper finds its connection open. */
  keepAliveTimeout: 120_000,
}
/** Over TCP, where anyone can connect; and on the unix socket. */
const MAX_CONNECTIONS = 16
const MAX_OWN_CONNECTIONS = 64
/** A browser opens up to six for a page. */
const MAX_BROWSER_CONNECTIONS = 64

export interface Serving {
  close(): Promise<void>
}

/** @throws when another process answers at the path, or something else than a socket is there */
export async function serve(path: string, routes: Routes): Promise<Serving> {
  await makeRoom(path)
  const server = serverOf(jsonOf(routes), MAX_OWN_CONNECTIONS)
  ownerOnly(() => server.listen(path))
  await once(server, 'listening')
  surviveAccepts(server)
  return { close: () => close(server) }
}

/** @throws with the address that cannot be bound */
export async function serveHttp(
  { host, port }: Address,
  pages: Pages,
  { others, tls }: Pick<Web, 'others' | 'tls'> = {},
): Promise<Serving & { readonly url: string }> {
  const most = others ? MAX_BROWSER_CONNECTIONS : MAX_CONNECTIONS
  const server = serverOf(pagesOf(pages, others), most, tls)
  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw new Error(
      `cannot listen on ${host}:${port} for ${others ? 'browsers' : 'Prometheus'}: ${error.message}`,
    )
  })
  surviveAccepts(server)
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { url: `${tls ? 'https' : 'http'}://${name}:${address.port}`, close: () => close(server) }
}

function serverOf(answers: Answers, maxConnections: number, tls?: Tls): Server {
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    try {
      await send(await answers(request, gone.signal), request, response)
    } catch {
      response.destroy() // the client has gone away, or the page failed
    }
  }
  const server: Server = tls
    ? createTlsServer({ ...LIMITS, ...tls }, listener)
    : createServer(LIMITS, listener)
  boundConnections(server, maxConnections)
  server.timeout = STALLED_MS
  return server
}

/** An accept fails without a free descriptor: the client tries again. */
const surviveAccepts = (server: Server): Server => server.on('error', () => {})

async function send(answer: Answer, { method, headers }: IncomingMessage, response: ServerResponse) {
  const { status = 200, type = 'text/plain; charset=utf-8', body, live } = answer
  const isWhole = typeof body === 'string' || Buffer.isBuffer(body)
  const isZipped = !isWhole && acceptsGzip(headers['accept-encoding']?.toString())
  response.writeHead(status, {
    'content-type': type,
    ...answer.headers,
    ...(isZipped && { 'content-encoding': 'gzip' }),
  })
  if (method === 'HEAD') response.end()
  else if (isWhole) response.end(body)
  else {
    const flush = live ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH
    const zip = isZipped ? createGzip({ level: constants.Z_BEST_SPEED, flush }) : new PassThrough()
    await pipeline(body, zip, response, live ? {} : { signal: AbortSignal.timeout(ANSWER_MS) })
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
