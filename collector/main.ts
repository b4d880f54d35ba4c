/** The collector: options, parts, the path of the data, stop. */

import { dirname } from 'node:path'
import type { Command } from 'commander'
import { descriptorLimit } from '../wire/process/descriptors.ts'
import { every } from '../wire/process/guarded.ts'
import { openLog } from '../wire/process/log.ts'
import { stopped } from '../wire/process/signals.ts'
import { ThrottledLog } from '../wire/process/throttled_log.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { checkCollector } from './check.ts'
import { Counters, costs } from './counters.ts'
import { makeDirectory } from './directory.ts'
import { Gate } from './ingest/gate.ts'
import { Ingest } from './ingest/ingest.ts'
import { Listeners, type Next } from './ingest/listeners.ts'
import { SharedHosts } from './ingest/shared_hosts.ts'
import { Ledger } from './ledger/ledger.ts'
import { type CollectorOptions, collectorSettings } from './options.ts'
import { SELF_INTERVAL } from './sample/self_metrics.ts'
import { Writers } from './sample/writers.ts'
import { healthPages } from './serve/pages.ts'
import { routesOf } from './serve/routes.ts'
import { serve, serveHttp } from './serve/server.ts'
import { Top } from './serve/top.ts'
import { Sinks } from './sinks/sinks.ts'
import { collectorDirectory } from './sinks/spools.ts'

const EXPIRE_MS = 60_000

export function addCollector(program: Command): void {
  const command = program.command('collector').description('fold what probes send and store it')
  addFlags(command, 'collector', collectorSettings)
  command.action(async flags =>
    run(
      readSettings(collectorSettings, 'collector', flags, process.env, { check: checkCollector }),
      program.version() ?? 'unknown',
    ),
  )
}

async function run(options: CollectorOptions, version: string): Promise<void> {
  const { profile } = options
  const log = openLog('collector', options.logLevel)
  const troubles = new ThrottledLog(log)

  const counters = new Counters()
  const ledger = new Ledger(collectorDirectory(options.spool), options.socket)
  const sinks = await Sinks.open(options, { profile, version, log }, ledger.saved?.sinks)
  const writers = new Writers(options, sinks, () => counters.totals(), log)
  const top = new Top()
  const ingest = new Ingest(() => writers.withProcesses || top.isWatched())
  ledger.follow(both(top, writers), () => sinks.accounts(), troubles)
  const hosts = new SharedHosts(ledger, profile !== 'ntopng', troubles)
  counters.add(ingest, hosts, writers, sinks, costs)

  const gate = new Gate(descriptorLimit(), troubles)
  const listeners = new Listeners(ingest, hosts, gate, troubles)
  const unready = () => (listeners.isListening ? sinks.unready() : 'not listening for probes')

  makeDirectory(dirname(options.socket), '--socket')
  const routes = { ...routesOf(top, counters, writers, ledger), ...sinks.routes }
  const server = await serve(options.socket, routes)
  const webs = await Promise.all(
    sinks.webs.map(({ address, pages }) => serveHttp(address, { ...pages, ...healthPages(unready) })),
  )
  await listeners.open(options.listen)
  const parts = [ingest, hosts, top, writers, sinks]
  const timers = [
    every(EXPIRE_MS, 'expiry', troubles, () => {
      for (const part of parts) part.expire()
    }),
    every(SELF_INTERVAL * 1000, 'counting what the collector does', troubles, () =>
      writers.writeSelf(Date.now() / 1000),
    ),
  ]
  const found = { listen: options.listen, sinks: sinks.names, profile, connections: gate.max }
  log.info({ ...found, http: webs[0]?.url }, 'started')

  await stopped()
  for (const timer of timers) clearInterval(timer)
  listeners.stop()
  // what waits for a name is left to who comes after us: without an acknowledgement the probe sends its window again
  await sinks.close()
  await ledger.close()
  await listeners.close()
  await server.close()
  await Promise.all(webs.map(web => web.close()))
  log.info(counters.view(), 'stopped')
}

/** Windows are shown, and written. */
const both = (top: Top, writers: Writers): Next => ({
  write(window, ...rest) {
    top.take(window)
    writers.write(window, ...rest)
  },
  settled: (...window) => writers.settled(...window),
})
