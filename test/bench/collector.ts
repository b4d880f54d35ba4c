/** A whole collector: simulated hosts send windows of flows over ZeroMQ, samples go to an HTTP server that only counts. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'bcc-bindings'
import { Dealer } from 'zeromq'
import { objectPath } from '../../probe/kernel.ts'
import { encode, SCHEMA, type Who, WINDOW } from '../../probe/wire/message.ts'
import { start } from '../harness/process.ts'
import { freePort, logged } from '../harness/sockflux.ts'
import { BUILT } from './agents.ts'
import { cpuSecondsOf } from './cpu.ts'

const INTERVAL = 10
const BATCH_ROWS = 4096

interface Load {
  readonly hosts: number
  /** Per host. */
  readonly containers: number
  readonly rows: number
  readonly windows: number
}

/** Counts lines and keeps nothing. */
async function nullDatabase() {
  let lines = 0
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
    })
    request.on('end', () => {
      response.setHeader('X-Influxdb-Version', '1.8.10')
      const isQuery = request.url?.startsWith('/query')
      response.statusCode = isQuery ? 200 : 204
      response.end(isQuery ? '{"results":[{}]}' : '')
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, lines: () => lines, close: () => server.close() }
}

function rowsOf(load: Load): { layout: ReturnType<ReturnType<typeof open>['layout']>; rows: Buffer } {
  const object = open(objectPath())
  const layout = object.layout('tcp_flow')
  object.close()
  const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
  const rows = Buffer.alloc(load.rows * layout.size)
  for (let row = 0; row < load.rows; row++) {
    const begin = row * layout.size
    rows.writeUInt32LE(1 + (row % load.containers), begin + at('cgroup'))
    rows.writeUInt32LE(20_000 + row, begin + at('rtt_us'))
    rows.writeUInt32LE(1 + (row % 5), begin + at('segs_sent'))
    rows.writeUInt8(1 + (row % 2), begin + at('role'))
  }
  return { layout, rows }
}

function whoOf(host: number, containers: number): Who & { running: string[] } {
  const ids = Array.from({ length: containers }, (_, index) =>
    (host * 1000 + index).toString(16).padStart(64, '0'),
  )
  return {
    cgroups: Object.fromEntries(ids.map((id, index) => [`0:${index + 1}`, id])),
    containers: Object.fromEntries(ids.map(id => [id, { runtime: 'containerd', name: 'main' }])),
    pods: {},
    running: ids,
  }
}

async function send(endpoint: string, load: Load): Promise<void> {
  const { layout, rows } = rowsOf(load)
  const dealer = new Dealer({ linger: 0 })
  dealer.connect(endpoint)
  let acknowledged = 0
  const acks = (async () => {
    for await (const _ of dealer) if (++acknowledged === load.hosts * load.windows) break
  })()
  const base = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL
  const who = Array.from({ length: load.hosts }, (_, host) => whoOf(host, load.containers))
  const sequences = new Array<number>(load.hosts).fill(0)
  for (let window = 0; window < load.windows; window++)
    for (let host = 0; host < load.hosts; host++) {
      const head = () => ({
        ...{ schema: SCHEMA, host: `host${host}`, boot: 'b', probe: `p${host}`, window },
        ...{ sequence: sequences[host]!++, start_ns: '0', lost: {} },
      })
      for (let at = 0; at < rows.length; at += BATCH_ROWS * layout.size) {
        const batch = rows.subarray(at, at + BATCH_ROWS * layout.size)
        await dealer.send(encode('tcp_flow', { ...head(), layout }, batch, who[host]!))
      }
      const time = base + window * INTERVAL
      const end = { end_ns: '1', time, interval: INTERVAL, clock_offset_ns: '0', partial: false }
      await dealer.send(encode(WINDOW, { ...head(), ...end }, Buffer.alloc(0), who[host]!))
    }
  await acks
  dealer.close()
}

async function measure(load: Load) {
  const directory = await mkdtemp(join(tmpdir(), 'sockflux-bench-'))
  const database = await nullDatabase()
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  const flags = ['--listen', endpoint, '--socket', join(directory, 's.sock'), '--influx-url', database.url]
  const collector = start([process.execPath, BUILT, 'collector', ...flags, '--no-influx-gzip'])
  try {
    await logged(collector, /"msg":"started"/)
    await send(endpoint, { ...load, windows: 1 }) // warm
    const [before, lines] = [cpuSecondsOf(collector.pid), database.lines()]
    await send(endpoint, load)
    const seconds = Math.max(0.01, cpuSecondsOf(collector.pid) - before) // a tick
    const peak =
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${collector.pid}/status`, 'utf8'))?.[1]) / 1024
    return { seconds, peak, lines: database.lines() - lines }
  } finally {
    await collector.close()
    database.close()
    await rm(directory, { recursive: true, force: true })
  }
}

const LOADS: readonly (Load & { readonly name: string })[] = [
  { name: '2,000,000 rows a window of 20 hosts', hosts: 20, containers: 20, rows: 100_000, windows: 3 },
  { name: '100,000 rows a window of 100 hosts', hosts: 100, containers: 20, rows: 1000, windows: 5 },
  { name: '300,000 rows a window of 300 hosts', hosts: 300, containers: 20, rows: 1000, windows: 5 },
  { name: '1,000,000 rows a window of 1,000 hosts', hosts: 1000, containers: 20, rows: 1000, windows: 3 },
  { name: '300 hosts, 200 containers each', hosts: 300, containers: 200, rows: 400, windows: 3 },
]

export async function benchCollector(loads = LOADS): Promise<string[][]> {
  const lines: string[][] = []
  for (const load of loads) {
    const { seconds, peak, lines: written } = await measure(load)
    const rows = load.hosts * load.rows * load.windows
    lines.push([
      `collector, ${load.name}`,
      [
        `${(rows / seconds / 1e6).toFixed(1)} million rows per CPU second from message to written samples`,
        `${((seconds / load.windows / INTERVAL) * 100).toFixed(0)} % of a core`,
        `${(written / seconds / 1000).toFixed(0)} thousand lines per CPU second`,
        `${peak.toFixed(0)} MB at most`,
      ].join(', '),
    ])
  }
  return lines
}
