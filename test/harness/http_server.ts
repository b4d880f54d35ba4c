import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Test } from 'tap'

/** A small HTTP server on a port of its own, until the test has ended. @returns its address */
export async function listen(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

/** What foreign programs and proxies do: answers writes with the body at hand, `/ping` as InfluxDB 1.8 does. */
export function listenToWrites(
  t: Test,
  answer: (body: string, response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  return listen(t, async (request, response) => {
    const raw = Buffer.concat(await request.toArray())
    if (request.url === '/ping') {
      response.writeHead(204, { 'x-influxdb-version': '1.8.0' }).end()
      return
    }
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    answer(body.toString(), response, request)
  })
}
