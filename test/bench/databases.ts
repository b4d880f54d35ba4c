/** What a collector writes to: a server that only counts, and InfluxDB. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startInflux } from '../harness/influx.ts'

export interface Database {
  readonly url: string
  /** Lines of a measurement that it has been given. */
  lines(measurement: string): Promise<number>
  close(): Promise<void>
}

const NEWLINE = 10

/** Counts lines and keeps nothing. */
export async function nullDatabase(): Promise<Database> {
  const counts = new Map<string, number>()
  const count = (body: Buffer): void => {
    for (let at = 0, end = 0; at < body.length; at = end + 1) {
      end = body.indexOf(NEWLINE, at)
      if (end < 0) end = body.length
      const name = body.toString('latin1', at, body.indexOf(',', at))
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  const server = createServer(async (request, response) => {
    count(Buffer.concat(await request.toArray()))
    response.setHeader('X-Influxdb-Version', '1.8.10')
    const isQuery = request.url?.startsWith('/query')
    response.statusCode = isQuery ? 200 : 204
    response.end(isQuery ? '{"results":[{}]}' : '')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines: async measurement => counts.get(measurement) ?? 0,
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The real one, and what it has stored. */
export async function influxDatabase(): Promise<Database> {
  const { url, query, remove } = await startInflux()
  return {
    url,
    async lines(measurement) {
      const rows = await query(`SELECT COUNT(*) FROM "${measurement}"`, 'sockflux')
      const counts = Object.entries(rows[0] ?? {}).filter(([name]) => name.startsWith('count'))
      return Math.max(0, ...counts.map(([, value]) => Number(value)))
    },
    close: remove,
  }
}
