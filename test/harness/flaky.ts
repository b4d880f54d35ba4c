/** A proxy before InfluxDB that fails in every way that servers and networks do, one after the other; between two faults it works. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { type Closable, closable } from './cleanup.ts'

interface Write {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly response: ServerResponse
  /** Sends lines to InfluxDB. @returns its status */
  forward(body?: Buffer): Promise<{ status: number; text: string }>
}

const HANG_MS = 1500
const status =
  (code: number, headers = {}) =>
  async ({ response }: Write) => {
    response.writeHead(code, headers).end(JSON.stringify({ error: `scripted ${code}` }))
  }

/** What it does with a write, in this order. */
const FAULTS: Readonly<Record<string, (write: Write) => Promise<void>>> = {
  500: status(500),
  503: status(503, { 'retry-after': '1' }),
  429: status(429, { 'retry-after': '1' }),
  413: status(413),
  async reset({ response }) {
    response.socket?.destroy()
  },
  /** InfluxDB has stored it, and nobody is told. */
  async unanswered({ response, forward }) {
    await forward()
    response.socket?.destroy()
  },
  async hang({ response }) {
    await new Promise(resolve => setTimeout(resolve, HANG_MS))
    response.socket?.destroy()
  },
  /** Half of the lines are stored. */
  async half({ request, body, response, forward }) {
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    const lines = plain.toString().split('\n').filter(Boolean)
    await forward(Buffer.from(lines.slice(0, lines.length / 2).join('\n')))
    response.writeHead(500).end('{"error":"scripted: the other half was not stored"}')
  },
}

export interface Flaky {
  readonly url: string
  /** Faults so far, by name. */
  readonly faults: Record<string, number>
  /** From now on it works. */
  heal(): void
}

/** @param target URL of InfluxDB */
export function startFlaky(target: string): Promise<Flaky & Closable> {
  return closable(async cleanup => {
    const faults: Record<string, number> = {}
    let isHealed = false
    let writes = 0
    const send = async (from: IncomingMessage, body: Buffer, changed?: Buffer) => {
      const {
        'content-encoding': encoding,
        host: _host,
        'content-length': _length,
        ...headers
      } = from.headers
      const isSame = changed === undefined && encoding !== undefined
      const to = request(`${target}${from.url}`, {
        ...(from.method && { method: from.method }),
        headers: { ...headers, ...(isSame && { 'content-encoding': encoding }) },
        agent: false,
      })
      to.end(changed ?? body)
      const [answer] = (await once(to, 'response')) as [IncomingMessage]
      const text = Buffer.concat(await answer.toArray()).toString()
      return { status: answer.statusCode!, text, headers: answer.headers }
    }
    const server = createServer(async (from, response) => {
      try {
        const body = Buffer.concat(await from.toArray())
        const isFaulty = from.url?.startsWith('/write') && !isHealed && ++writes % 2 === 0
        const [name, fault] = Object.entries(FAULTS)[(writes / 2) % Object.keys(FAULTS).length] ?? []
        if (isFaulty && fault) {
          faults[name!] = (faults[name!] ?? 0) + 1
          await fault({ request: from, body, response, forward: changed => send(from, body, changed) })
          return
        }
        const { status, text, headers } = await send(from, body)
        const version = headers['x-influxdb-version']
        response.writeHead(status, { ...(version && { 'x-influxdb-version': version }) }).end(text)
      } catch {
        response.socket?.destroy()
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup.defer(() => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    })
    const heal = () => {
      isHealed = true
    }
    const { port } = server.address() as { port: number }
    return { url: `http://127.0.0.1:${port}`, faults, heal }
  })
}
