import { once } from 'node:events'
import { lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Problem, type Routes } from '../routes.ts'

const MAX_BODY_BYTES = 1 << 20
const OWNER_ONLY = 0o177

/**
 * A small HTTP server on a unix socket that only its owner may open. `sockflux query` and `top` speak to it, and so
 * does `curl --unix-socket`.
 * @throws when another process answers at the path, or something else than a socket is there.
 */
export async function serve(path: string, routes: Routes): Promise<{ close(): Promise<void> }> {
  await makeRoom(path)
  const server = createServer(async (request, response) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const [status, text] = await route(routes, request, gone.signal)
      .then(answer => [200, JSON.stringify(answer)] as const)
      .catch((error: Error) => {
        const status = error instanceof Problem ? error.status : 500
        return [status, JSON.stringify({ error: error.message })] as const
      })
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  // bind(2) takes the mode from the umask: a chmod afterwards would leave a gap.
  const umask = process.umask(OWNER_ONLY)
  try {
    server.listen(path)
    await once(server, 'listening')
  } finally {
    process.umask(umask)
  }
  return {
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function route(routes: Routes, request: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const handler = Object.hasOwn(routes, `${request.method} ${url.pathname}`)
    ? routes[`${request.method} ${url.pathname}` as keyof Routes]
    : undefined
  if (!handler) throw new Problem(404, `there is no ${request.method} ${url.pathname} here`)
  return handler({ url, body: await json(request), signal })
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

/** Remove the socket of a process that died. */
async function makeRoom(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isSocket()) throw new Error(`${path} is not a socket: remove it or give another path`)
  if (await answers(path))
    throw new Error(`another collector answers at ${path}: stop it or give this one another socket`)
  rmSync(path, { force: true })
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
