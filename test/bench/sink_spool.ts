/** What the spool of the collector costs while all is well, and how fast it takes and gives. */

import { join } from 'node:path'
import { pino } from 'pino'
import type { Batch } from '../../collector/batch.ts'
import { InfluxSink } from '../../collector/sinks/influxdb/influxdb.ts'
import { SinkQueue } from '../../collector/sinks/queue.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { batch, numFlows, sample } from '../harness/samples.ts'
import { scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { median, ownSeconds } from './cpu.ts'
import { influxDatabase, nullDatabase } from './databases.ts'

const SAMPLES = 200
const LONG_MS = 600_000
const log = pino({ level: 'silent' })
const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** Windows of hosts with 100 containers each and two measurements. */
function windows(many: number, from: number): Batch[] {
  const other = { name: 'container:rtt', fields: ['as_client', 'as_server'] }
  const points = Array.from({ length: SAMPLES }, (_, at) =>
    sample([at, at / 3], { container: `c${at % 100}`, host: 'h' }, at < 100 ? numFlows : other),
  )
  return Array.from({ length: many }, (_, at) => batch(from + at, points, 1_700_000_000))
}

const sinkOf = (url: string) =>
  new InfluxSink({
    ...{
      url,
      database: 'sockflux',
      createDatabase: true,
      timeoutMs: 60_000,
      gzip: false,
      linesPerRequest: 5000,
    },
  })

const queueOf = (url: string, directory: string | undefined) =>
  new SinkQueue(sinkOf(url), {
    ...{ maxSamples: 100_000_000, log },
    spool: directory === undefined ? undefined : { directory, maxBytes: 2 ** 33, maxAgeMs: LONG_MS },
  })

/** CPU for so many windows that are stored at once, microseconds a window. */
async function well(url: string, directory: string | undefined, many: number): Promise<number> {
  const queue = queueOf(url, directory)
  await queue.open()
  const given = windows(many, 0)
  const before = ownSeconds()
  for (let at = 0; at < many; at += 50) {
    for (const one of given.slice(at, at + 50)) queue.push(one, () => {})
    await until('a request', () => queue.counters.waiting === 0, LONG_MS)
  }
  const cpu = ownSeconds() - before
  await queue.close({ deadlineMs: 0 })
  return (cpu / many) * 1e6
}

/** To disk while nothing listens, and from there into the database of another queue. */
async function outage(url: string, directory: string, many: number) {
  const away = queueOf('http://127.0.0.1:9', directory)
  await away.open()
  const began = performance.now()
  for (const one of windows(many, 0)) away.push(one, () => {})
  await until('all on disk', () => away.spool!.batches === many, LONG_MS)
  const toDisk = performance.now() - began - 1000 // a batch waits for a second
  const { bytes } = away.spool!
  await away.close({ deadlineMs: 0 })
  const back = queueOf(url, directory)
  const start = performance.now()
  const before = ownSeconds()
  await back.open()
  await until('all stored', () => back.waiting.batches === 0, LONG_MS)
  const seconds = (performance.now() - start) / 1000
  const cpu = ownSeconds() - before
  await back.close({ deadlineMs: 0 })
  const samples = many * SAMPLES
  return {
    written: samples / (toDisk / 1000),
    replayed: samples / seconds,
    perCpu: samples / cpu,
    bytes: bytes / samples,
  }
}

export async function benchSinkSpool(rounds = 5, many = 2000): Promise<string[][]> {
  const cleanup = new Cleanup()
  try {
    const directory = await scratch(cleanup, 'bench')
    const nowhere = await nullDatabase()
    cleanup.defer(() => nowhere.close())
    const influx = await influxDatabase()
    cleanup.defer(() => influx.close())
    const [without, withSpool]: number[][] = [[], []]
    for (let round = 0; round < rounds; round++) {
      without!.push(await well(nowhere.url, undefined, many))
      withSpool!.push(await well(nowhere.url, join(directory, `well-${round}`), many))
    }
    const lines: string[][] = [
      [
        `a window of ${SAMPLES} samples that is stored at once, into a null server, medians of ${rounds}`,
        `${median(without!).toFixed(0)} µs CPU without a spool, ${median(withSpool!).toFixed(0)} µs with one`,
      ],
    ]
    for (const [name, url] of [['a null server', nowhere.url] as const, ['InfluxDB', influx.url] as const]) {
      const { written, replayed, perCpu, bytes } = await outage(url, join(directory, name), many)
      lines.push([
        `${count.format(many)} windows of ${SAMPLES} samples, to disk and then into ${name}`,
        `${count.format(written)} samples a second to disk (${bytes.toFixed(0)} bytes each), ${count.format(replayed)} a second from disk, ${count.format(perCpu)} per CPU second`,
      ])
    }
    return lines
  } finally {
    await cleanup.close()
  }
}
