/** The collector: options, start, the path of the data, stop. */

import { dirname } from 'node:path'
import type { Command } from 'commander'
import { pino } from 'pino'
import { Router } from 'zeromq'
import { addFlags, readSettings } from '../wire/settings/settings.ts'
import { makeDirectory } from './directory.ts'
import { Acknowledger } from './ingest/acknowledge.ts'
import { type Folded, Ingest } from './ingest/ingest.ts'
import { type CollectorOptions, collectorSettings } from './options.ts'
import { OWN_INTERVAL, type OwnTotals } from './sample/own.ts'
import { afterAll, type Writer, writersOf } from './sample/writer.ts'
import { serveHttp } from './serve/http.ts'
import { pagesOf } from './serve/pages.ts'
import { queryRoute } from './serve/select.ts'
import { Problem, type Routes, serve } from './serve/server.ts'
import { Top } from './serve/top.ts'
import { EmbeddedSink } from './sinks/embedded/embedded.ts'
import { openSinks } from './sinks/open.ts'
import { SinkQueue } from './sinks/queue.ts'
import type { Sink } from './sinks/sink.ts'
import { ThrottledLog } from './sinks/throttled_log.ts'

const QUERY_LIMITS = { maxRows: 10_000, maxCharacters: 16 * 2 ** 20, timeoutMs: 10_000 }
/** Rows are at most 0.8 MB of a message; with all names nobody sends this much. */
const MAX_MESSAGE_BYTES = 64 * 2 ** 20
/** Bytes of a frame; fewer are not worth it. */
const LARGE_FRAME = 4096
const FLUSH_MS = 5000
const EXPIRE_MS = 60_000
/** At the end, for the last acknowledgements; a probe that is gone takes none. */
const LINGER_MS = 200

export function addCollector(program: Command): void {
  const command = program.command('collector').description('fold what probes send and write it to InfluxDB')
  addFlags(command, 'collector', collectorSettings)
  command.action(async flags =>
    run(readSettings(collectorSettings, 'collector', flags, process.env), program.version() ?? 'unknown'),
  )
}

async function run(options: CollectorOptions, version: string): Promise<void> {
  const log = pino({ name: 'collector', level: options.logLevel }, pino.destination({ dest: 2, sync: true }))
  const open = await openSinks(options, version, log)
  const queues = open.map(sink => new SinkQueue(sink, { maxSamples: options.waitingSamples, log }))
  const top = new Top()
  const hasProcesses = options.profile !== 'ntopng' || options.prometheus !== undefined
  const withProcesses = hasProcesses && options.metrics.includes('process')
  const ingest = new Ingest(() => withProcesses || top.isWatched())
  const writers = writersOf(options, queues, () => ownTotals(ingest, writers, queues))
  const troubles = new ThrottledLog(log)

  /** Every sink has settled the window, or it is not to be written. */
  const write = (window: Folded, ifid: string, settled: () => void): void => {
    top.take(window)
    if (!window.complete && !window.partial)
      troubles.warn(
        'incomplete',
        `${window.key.host}: the window until ${window.time} is written without its end, rows of it may be missing`,
      )
    const before = lossesOf(writers)
    const settledOne = afterAll(writers.length, settled)
    for (const writer of writers) writer.write(window, ifid, settledOne)
    const after = lossesOf(writers)
    if (after.merged_pods > before.merged_pods)
      troubles.warn('merged_pods', 'pods of one name in several namespaces are one in profile ntopng')
    if (after.shared_pods > before.shared_pods)
      troubles.warn(
        'shared_pods',
        'pods of one name on several hosts are written over each other in profile ntopng: give each host a --listen of its own, with its ,ifid=',
      )
    if (after.beyond_max_series > before.beyond_max_series)
      troubles.warn(
        'max_series',
        `a measurement has more than ${options.maxSeries} series: the rest is ${options.profile === 'ntopng' ? 'not written' : 'in ~other'}; raise --max-series`,
      )
  }

  const receive = async (router: Router, ifid: string, acknowledger: Acknowledger): Promise<void> => {
    for await (const [route, ...frames] of router) {
      if (!isListening) break // it is not acknowledged: the probe sends it again to whoever comes after us
      if (!route) continue
      try {
        const { key, folded, repeatedEnd, refused, settled } = ingest.receive(frames)
        acknowledger.seen(key, route)
        if (settled) for (const writer of writers) writer.settled(key, settled.elsewhere)
        for (const window of folded) write(window, ifid, acknowledger.expect(window.key))
        if (repeatedEnd) acknowledger.repeat(key)
        if (refused !== undefined) troubles.warn('malformed', `rows were refused: ${refused}`)
      } catch (error) {
        troubles.warn('malformed', `a message was refused: ${(error as Error).message}`)
      }
      for (const frame of frames) giveBack(frame)
    }
  }

  const stats = () => ({
    received: ingest.received,
    rows: ingest.rows,
    lost: ingest.lost,
    probes: ingest.probeLosses(),
    waiting_for_names: writers[0]!.waiting,
    ...lossesOf(writers),
    sinks: Object.fromEntries(
      open.map((sink, index) => [
        sink.name,
        { ...queues[index]!.counters, ...(sink instanceof EmbeddedSink && sink.counters) },
      ]),
    ),
  })
  makeDirectory(dirname(options.socket), '--socket')
  const server = await serve(options.socket, routes(open, top, writers, stats))
  let isListening = false
  const http =
    options.prometheus &&
    (await serveHttp(
      options.prometheus,
      pagesOf(open, queues, () => isListening),
    ))
  const routers = await listen(options.listen)
  isListening = true
  const acknowledgers = routers.map(({ router }) => new Acknowledger(router))
  const receiving = routers.map(({ router, ifid }, index) => receive(router, ifid, acknowledgers[index]!))
  const expiring = setInterval(() => {
    ingest.expire()
    top.expire()
    for (const writer of writers) writer.expire()
  }, EXPIRE_MS)
  const telling = setInterval(() => {
    for (const writer of writers) writer.tellOwn(Date.now() / 1000)
  }, OWN_INTERVAL * 1000)
  log.info(
    {
      listen: options.listen,
      sinks: open.map(sink => sink.name),
      profile: options.profile,
      ...(http && { http: http.url }),
    },
    'started',
  )

  await new Promise<void>(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  clearInterval(expiring)
  clearInterval(telling)
  isListening = false
  // what waits for a name is left to who comes after us: without an acknowledgement the probe sends its window again
  await Promise.all(queues.map(queue => queue.close({ deadlineMs: FLUSH_MS })))
  await Promise.all(acknowledgers.map(acknowledger => acknowledger.flush()))
  for (const { router } of routers) {
    router.linger = LINGER_MS
    router.close()
  }
  await Promise.all(receiving)
  await server.close()
  await http?.close()
  log.info(stats(), 'stopped')
}

/**
 * The memory of a message that has been read, at once. The garbage collector would do it late, and work for it: V8 marks the
 * whole heap each time 64 MB of memory from outside were taken.
 */
function giveBack({ buffer, length }: Buffer): void {
  if (length >= LARGE_FRAME && length === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}

/** What the series could not hold. */
const lossesOf = (writers: readonly Writer[]) => ({
  merged_pods: sum(writers, ({ sampler }) => sampler.mergedPods),
  shared_pods: sum(writers, ({ sampler }) => sampler.podHosts.shared),
  beyond_max_series: sum(writers, ({ sampler }) => sampler.beyond),
})

/** For the measurements collector:stats and collector:lost. */
function ownTotals(ingest: Ingest, writers: readonly Writer[], queues: readonly SinkQueue[]): OwnTotals {
  const { user, system } = process.cpuUsage()
  const { shared_pods, beyond_max_series } = lossesOf(writers)
  const lost: Record<string, number> = {
    'series/shared_pods': shared_pods,
    'series/beyond_max_series': beyond_max_series,
  }
  for (const [reason, count] of Object.entries(ingest.lost)) lost[`ingest/${reason}`] = count
  for (const { name, counters } of queues) {
    lost[`${name}/dropped`] = counters.dropped
    for (const [reason, count] of Object.entries(counters.refused)) lost[`${name}/${reason}`] = count
  }
  return {
    lost,
    stats: {
      messages: ingest.received,
      rows: ingest.rows,
      probes: ingest.probes,
      waiting: sum(queues, ({ counters }) => counters.waiting),
      written: sum(queues, ({ counters }) => counters.samples),
      series: sum(
        writers.flatMap(({ sampler }) => sampler.series()),
        ({ series }) => series,
      ),
      cpu_us: user + system,
      rss_bytes: process.memoryUsage.rss(),
    },
  }
}

const sum = <T>(from: readonly T[], of: (one: T) => number): number =>
  from.reduce((total, one) => total + of(one), 0)

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

function routes(open: readonly Sink[], top: Top, writers: readonly Writer[], stats: () => unknown): Routes {
  const store = open.find(sink => sink instanceof EmbeddedSink)
  return {
    'GET /top': async () => top.view(),
    'GET /stats': async () => stats(),
    'GET /series': async () => writers[0]!.sampler.series(),
    'POST /query': store
      ? queryRoute(store, QUERY_LIMITS)
      : async () => {
          throw new Problem(
            404,
            'this collector has no embedded store: query its InfluxDB, or start it with --sink influxdb --sink embedded',
          )
        },
  }
}
