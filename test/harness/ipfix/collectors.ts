/** Collectors of IPFIX: our own, which keeps the bytes, and those that other people use. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { type Closable, closable } from '../cleanup.ts'
import { run, start } from '../process.ts'
import { freePort } from '../sockflux.ts'
import { until } from '../until.ts'

export interface Message {
  readonly bytes: Buffer
  /** 2: templates; else the template of the records. */
  readonly setId: number
  readonly sequence: number
  readonly domain: number
}

/** The messages in a stream; what is behind the last whole one is left out. */
export function messagesOf(stream: Buffer): Message[] {
  const found: Message[] = []
  for (let at = 0; at + 20 <= stream.length; ) {
    const length = stream.readUInt16BE(at + 2)
    if (stream.readUInt16BE(at) !== 10 || length < 20) throw new Error(`no message at byte ${at}`)
    if (at + length > stream.length) break
    const bytes = stream.subarray(at, at + length)
    const [sequence, domain] = [bytes.readUInt32BE(8), bytes.readUInt32BE(12)]
    found.push({ bytes, setId: bytes.readUInt16BE(16), sequence, domain })
    at += length
  }
  return found
}

export interface StreamCollector {
  readonly port: number
  /** What came over each connection. */
  readonly streams: Buffer[]
  /** Cuts the present connections. */
  cut(): void
  close(): Promise<void>
}

/** @param tls speaks TLS with these options */
export async function listenTcp(port = 0, tls?: TlsOptions): Promise<StreamCollector> {
  const [streams, sockets]: [Buffer[], Set<Socket>] = [[], new Set()]
  const take = (socket: Socket) => {
    const at = streams.push(Buffer.alloc(0)) - 1
    sockets.add(socket)
    socket.on('data', data => {
      streams[at] = Buffer.concat([streams[at]!, data])
    })
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server: Server = tls ? createTlsServer(tls, take) : createServer(take)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    ...{ streams, cut },
    close: async () => {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}

export async function listenUdp(port = 0) {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening')
  const datagrams: Buffer[] = []
  socket.on('message', datagram => void datagrams.push(datagram))
  return {
    port: socket.address().port,
    datagrams,
    close: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** nfcapd: what it says of itself when it stops, and the records that it stored. */
export function startNfcapd(directory: string): Promise<{ readonly port: number } & Closable & Stored> {
  return closable(async cleanup => {
    const port = await freePort()
    const buffer = String(8 * 2 ** 20)
    const server = start([
      ...['nfcapd', '-b', '127.0.0.1', '-p', String(port), '-w', directory, '-t', '3600', '-B', buffer],
    ])
    cleanup.defer(() => server.close())
    await until('nfcapd', () => server.stderr.includes('Startup'))
    const stop = async () => {
      await server.kill()
      const [file] = readdirSync(directory).filter(name => /^nfcapd\.\d+$/.test(name))
      const csv = await run(['nfdump', '-q', '-r', join(directory, file!), '-o', 'csv'])
      return { said: server.stderr, csv }
    }
    return { port, stop }
  })
}
interface Stored {
  stop(): Promise<{ readonly said: string; readonly csv: string }>
}

/** Elements that nfacctd is told of. */
const PRIMITIVES = `name=pod_src field_type=56506:101 len=vlen semantics=str
name=pod_dst field_type=56506:103 len=vlen semantics=str
name=service field_type=56506:109 len=vlen semantics=str
name=flow_type field_type=56506:137 len=1 semantics=u_int
`

/** nfacctd: the rows that it has printed, as objects. */
export function startNfacctd(directory: string) {
  return closable(async cleanup => {
    const port = await freePort()
    const at = (name: string) => join(directory, name)
    writeFileSync(at('primitives'), PRIMITIVES)
    writeFileSync(
      at('config'),
      `daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: ${port}
aggregate: src_host, dst_host, src_port, dst_port, proto, pod_src, pod_dst, service, flow_type
aggregate_primitives: ${at('primitives')}
plugins: print
print_output: json
print_output_file: ${at('rows')}
print_output_file_append: true
print_refresh_time: 1
`,
    )
    const server = start(['nfacctd', '-f', at('config')])
    // SIGTERM leaves its plugins behind
    cleanup.defer(async () => {
      await Promise.race([server.kill('SIGINT'), wait(5000)])
      await server.close()
    })
    // what comes before its plugin is ready is lost
    await until('nfacctd', () => /Purging cache - END/.test(server.stderr), 30_000)
    const rows = () =>
      readFileSync(at('rows'), { encoding: 'utf8', flag: 'a+' })
        .split('\n')
        .filter(line => line.startsWith('{'))
        .map(line => JSON.parse(line) as Record<string, string | number>)
    return { port, rows }
  })
}
