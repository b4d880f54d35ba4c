/** The collector: options, start, the path of the data, stop. */

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { type Logger, pino } from 'pino'
import { Router } from 'zeromq'
import { addFlags, readSettings } from '../probe/settings.ts'
import { Acknowledger } from './acknowledge.ts'
import { Hold } from './hold.ts'
import { type Folded, Ingest } from './ingest.ts'
import { type CollectorOptions, collectorSettings } from './options.ts'
import { OWN_INTERVAL, type OwnTotals, OwnWindows } from './own.ts'
import { queryRoute } from './query/select.ts'
import { Problem, type Routes, serve } from './query/server.ts'
import type { Batch } from './sample.ts'
import { Sampler } from './sampler.ts'
import { EmbeddedSink } from './sinks/embedded.ts'
import { sinks } from './sinks/index.ts'
import { SinkQueue } from './sinks/queue.ts'
import type { Sink } from './sinks/sink.ts'
import { ThrottledLog } from './sinks/throttled_log.ts'
import { Top } from './top.ts'

const QUERY_LIMITS = { maxRows: 10_000, timeoutMs: 10_000 }
/** A message of 4,096 rows is 0.6 MB; nobody sends this much in one message. */
const MAX_MESSAGE_BYTES = 64 * 2 ** 20
const FLUSH_MS = 5000
const EXPIRE_MS = 60_000
/** What waits for a name longer than two of the longest windows waits for a probe that is gone. */
const HELD_MS = 2 * 3_600_000

export function addCollector(program: Command): void {
  const command = program.command('collector').description('fold what probes send and write it to InfluxDB')
  addFlags(command, 'collector', collectorSettings)
  command.action(async flags => run(readSettings(collectorSettings, 'collector', flags, process.env)))
}

async function run(options: CollectorOptions): Promise<void> {
  const log = pino({ name: 'collector', level: options.logLevel }, pino.destination({ dest: 2, sync: true }))
  const open = await openSinks(options, log)
  const queues = open.map(sink => new SinkQueue(sink, { maxSamples: options.waitingSamples, log }))
  const top = new Top()
  const withProcesses = options.profile !== 'ntopng' && options.metrics.includes('process')
  const ingest = new Ingest(() => withProcesses || top.isWatched())
  const sampler = new Sampler(options)
  const troubles = new ThrottledLog(log)

  const push = (batch: Batch, settled: () => void): void => {
    let left = queues.length
    for (const queue of queues) queue.push(batch, () => --left === 0 && settled())
  }
  const hold = new Hold(sampler, push)

  /** Every sink has settled the window, or it is not to be written. */
  const write = (window: Folded, ifid: string, settled: () => void): void => {
    top.take(window)
    if (!window.complete && !window.partial)
      troubles.warn(
        'incomplete',
        `${window.key.host}: the window until ${window.time} is written without its end, rows of it may be missing`,
      )
    hold.write(window, ifid, settled)
    if (sampler.mergedPods > 0)
      troubles.warn('merged_pods', 'pods of one name in several namespaces are one in profile ntopng')
  }

  const receive = async (router: Router, ifid: string): Promise<void> => {
    const acknowledger = new Acknowledger(router)
    for await (const [route, ...frames] of router) {
      if (!route) continue
      try {
        const { key, folded, repeatedEnd } = ingest.receive(frames)
        acknowledger.seen(key, route)
        for (const window of folded) write(window, ifid, acknowledger.expect(window.key))
        if (repeatedEnd) acknowledger.repeat(key)
      } catch (error) {
        troubles.warn('malformed', `a message was refused: ${(error as Error).message}`)
      }
    }
  }

  const stats = () => ({
    received: ingest.received,
    rows: ingest.rows,
    lost: ingest.lost,
    probes: ingest.probeLosses(),
    merged_pods: sampler.mergedPods,
    beyond_max_series: sampler.beyond,
    sinks: Object.fromEntries(
      open.map((sink, index) => [
        sink.name,
        { ...queues[index]!.counters, ...(sink instanceof EmbeddedSink && sink.counters) },
      ]),
    ),
  })
  const own = new OwnWindows(sampler, () => ownTotals(ingest, sampler, queues, open))
  mkdirSync(dirname(options.socket), { recursive: true })
  const server = await serve(options.socket, routes(open, top, sampler, stats))
  const routers = await listen(options.listen)
  const receiving = routers.map(({ router, ifid }) => receive(router, ifid))
  const expiring = setInterval(() => {
    ingest.expire()
    hold.flush(HELD_MS)
    sampler.expire()
  }, EXPIRE_MS)
  const telling = setInterval(() => {
    const batch = own.next(Date.now() / 1000)
    if (batch) push(batch, () => {})
  }, OWN_INTERVAL * 1000)
  log.info(
    { listen: options.listen, sinks: open.map(sink => sink.name), profile: options.profile },
    'started',
  )

  await new Promise<void>(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  clearInterval(expiring)
  clearInterval(telling)
  for (const { router } of routers) router.close()
  await Promise.all(receiving)
  hold.flush()
  await Promise.all(queues.map(queue => queue.close({ deadlineMs: FLUSH_MS })))
  await server.close()
  log.info(stats(), 'stopped')
}

/** For the measurements collector:stats and collector:lost. */
function ownTotals(
  ingest: Ingest,
  sampler: Sampler,
  queues: readonly SinkQueue[],
  open: readonly Sink[],
): OwnTotals {
  const { user, system } = process.cpuUsage()
  const sum = (of: (queue: SinkQueue) => number) => queues.reduce((total, queue) => total + of(queue), 0)
  const lost: Record<string, number> = { 'series/beyond_max_series': sampler.beyond }
  for (const [reason, count] of Object.entries(ingest.lost)) lost[`ingest/${reason}`] = count
  for (const [index, { counters }] of queues.entries()) {
    lost[`${open[index]!.name}/dropped`] = counters.dropped
    for (const [reason, count] of Object.entries(counters.refused))
      lost[`${open[index]!.name}/${reason}`] = count
  }
  return {
    lost,
    stats: {
      messages: ingest.received,
      rows: ingest.rows,
      probes: ingest.probes,
      waiting: sum(({ counters }) => counters.waiting),
      written: sum(({ counters }) => counters.samples),
      series: sampler.series().reduce((total, { series }) => total + series, 0),
      cpu_us: user + system,
      rss_bytes: process.memoryUsage.rss(),
    },
  }
}

/** @throws with the endpoint that cannot be bound */
async function listen(endpoints: readonly string[]): Promise<{ router: Router; ifid: string }[]> {
  const routers: { router: Router; ifid: string }[] = []
  for (const [index, listening] of endpoints.entries()) {
    const [endpoint, ifid = String(index)] = listening.split(',ifid=')
    const router = new Router({
      ipv6: endpoint!.includes('['),
      linger: 0,
      maxMessageSize: MAX_MESSAGE_BYTES,
      receiveHighWaterMark: 64,
    })
    await router.bind(endpoint!).catch((error: Error) => {
      const hint =
        (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? '; is another collector running?' : ''
      throw new Error(`cannot listen on ${endpoint}: ${error.message}${hint}`)
    })
    routers.push({ router, ifid })
  }
  return routers
}

async function openSinks(options: CollectorOptions, log: Logger): Promise<Sink[]> {
  const wanted = options.sink.length > 0 ? options.sink : [options.influxUrl ? 'influxdb' : 'embedded']
  const open: Sink[] = []
  for (const name of new Set(wanted)) {
    if (name === 'embedded') {
      mkdirSync(options.store, { recursive: true, mode: 0o700 })
      open.push(
        await sinks.embedded({
          directory: options.store,
          maxAgeDays: options.storeDays,
          maxBytes: options.storeSize,
          log,
        }),
      )
    } else {
      if (!options.influxUrl) throw new Error('the sink influxdb needs --influx-url or INFLUX_URL')
      open.push(
        await sinks.influxdb({
          url: options.influxUrl,
          version: options.influxVersion,
          database: options.influxDatabase ?? options.profile,
          org: options.influxOrg,
          token: options.influxToken,
          username: options.influxUsername,
          password: options.influxPassword,
          retentionPolicy: options.influxRetentionPolicy,
          createDatabase: options.influxCreate,
          ca: options.influxCa,
          insecureSkipVerify: options.influxInsecure,
          timeoutMs: options.influxTimeout * 1000,
          gzip: options.influxGzip,
          linesPerRequest: 5000,
        }),
      )
    }
  }
  return open
}

function routes(open: readonly Sink[], top: Top, sampler: Sampler, stats: () => unknown): Routes {
  const store = open.find(sink => sink instanceof EmbeddedSink)
  return {
    'GET /top': async () => top.view(),
    'GET /stats': async () => stats(),
    'GET /series': async () => sampler.series(),
    'POST /query': store
      ? queryRoute(store, QUERY_LIMITS)
      : async () => {
          throw new Problem(
            404,
            'this collector has no embedded store: query its InfluxDB, or add --sink embedded',
          )
        },
  }
}
