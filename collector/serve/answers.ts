/** What is answered to a request: JSON of routes, or pages to read. Both are sent by `server.ts`. */

import type { IncomingMessage } from 'node:http'
import { type Answers, Encoded, type Pages, Problem, type Routes } from '../routes.ts'

const MAX_BODY_BYTES = 1 << 20

/** For programs: what a route resolves to, and its problems, as JSON. */
export const jsonOf =
  (routes: Routes): Answers =>
  async (request, gone) => {
    const type = 'application/json'
    try {
      const answer = await route(routes, request, gone)
      return { type, body: answer instanceof Encoded ? answer.json : JSON.stringify(answer) }
    } catch (error) {
      const status = error instanceof Problem ? error.status : 500
      return { type, status, body: JSON.stringify({ error: (error as Error).message }) }
    }
  }

/**
 * For machines that watch: a few pages to read, and nothing to write.
 * @param others asked for everything else
 */
export const pagesOf =
  (pages: Pages, others?: Answers): Answers =>
  async (request, gone) => {
    const { method, url = '/' } = request
    const path = url.split('?', 1)[0] as keyof Pages
    const close = { connection: 'close' }
    if (others && !Object.hasOwn(pages, path)) return others(request, gone)
    if (!Object.hasOwn(pages, path))
      return { status: 404, headers: close, body: `there is ${Object.keys(pages).join(', ')}\n` }
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, headers: { ...close, allow: 'GET, HEAD' }, body: 'GET and HEAD only\n' }
    const page = pages[path]!()
    return page.status === undefined || page.status === 200 ? page : { ...page, headers: close }
  }

async function route(routes: Routes, request: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const url = URL.parse(request.url ?? '/', 'http://localhost')
  if (!url) throw new Problem(400, `${request.url} is no path of a request`)
  const name = `${request.method} ${url.pathname}`
  if (!Object.hasOwn(routes, name)) throw new Problem(404, `there is no ${name} here`)
  return routes[name as keyof Routes]!({ url, body: await json(request), signal })
}

async function json(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Problem(413, `a request has at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new Problem(400, 'the body is not JSON')
  }
}
