/** The collector: options, parts, the path of the data, stop. */

import type { Command } from 'commander'
import { descriptorLimit } from '../wire/process/descriptors.ts'
import { every } from '../wire/process/guarded.ts'
import { Service } from '../wire/process/service.ts'
import { stopped } from '../wire/process/signals.ts'
import { ThrottledLog } from '../wire/process/throttled_log.ts'
import { LiveSettings } from '../wire/settings/live.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { checkCollector } from './check.ts'
import { Cluster } from './cluster/cluster.ts'
import { Counters, costs } from './counters.ts'
import { Flows } from './flows/flows.ts'
import { flowRoutes } from './flows/live.ts'
import { inTurn } from './in_turn.ts'
import { Ingest } from './ingest/ingest.ts'
import { Access } from './ingest/link/access.ts'
import { Gate } from './ingest/link/gate.ts'
import { SharedHosts } from './ingest/shared_hosts.ts'
import { Ipfix } from './ipfix/ipfix.ts'
import { Ledger } from './ledger/ledger.ts'
import { listenersOf } from './listening.ts'
import { goLive } from './live.ts'
import { collectorSettings } from './options.ts'
import { Pages } from './page/pages.ts'
import { Progress } from './progress.ts'
import { SELF_INTERVAL } from './sample/self_metrics.ts'
import { Writers } from './sample/writers.ts'
import { routesOf } from './serve/routes.ts'
import { serveAll } from './serve/serving.ts'
import { Top } from './serve/top.ts'
import { Sinks } from './sinks/sinks.ts'
import { collectorDirectory } from './sinks/spools.ts'
import { waitingOn } from './view/waiting.ts'

const EXPIRE_MS = 60_000

export function addCollector(program: Command): void {
  const command = program.command('collector').description('add up what probes send, and store it')
  addFlags(command, 'collector', collectorSettings)
  command.action(async flags =>
    run(
      new LiveSettings(collectorSettings, 'collector', flags, process.env, { check: checkCollector }),
      program.version() ?? 'unknown',
    ),
  )
}

async function run(settings: LiveSettings<typeof collectorSettings>, version: string): Promise<void> {
  const options = settings.values
  const { profile } = options
  const service = await Service.open('collector', settings, () => import('bcc-bindings'))
  const { log } = service
  const troubles = new ThrottledLog(log)
  const [counters, progress] = [new Counters(), new Progress()]
  const cluster = await Cluster.open(options.clusterFrom, troubles)
  const known = { ...options, facts: cluster.facts, isShown: options.http !== undefined }
  const ledger = new Ledger(collectorDirectory(options.spool), options.socket)
  const sinks = await Sinks.open(options, { profile, version, log }, ledger.saved?.sinks)
  const writers = new Writers(known, sinks, () => counters.totals(), log)
  const flows = new Flows(known, sinks.flowOutlets, troubles)
  const ipfix = Ipfix.open(options, flows, troubles)
  const top = new Top(host => waitingOn(flows, host))
  const page = new Pages(options, { version, sinks, counters, flows })
  const ingest = new Ingest(() => writers.withProcesses || top.isWatched() || page.isWatched(), flows)
  ledger.follow(inTurn([top, page], flows, writers), () => sinks.accounts(), troubles)
  const hosts = new SharedHosts(ledger, profile !== 'ntopng', troubles)

  const gate = new Gate(descriptorLimit(), troubles, options.maxConnections)
  const access = await Access.open(options, () => gate.isFull, troubles)
  const listeners = listenersOf(options, { ingest, hosts, gate, access, writers, sinks }, troubles)
  counters.add(ingest, listeners, hosts, access, writers, sinks, flows, cluster, ipfix, page, costs)
  const unready = () => (listeners.isListening ? sinks.unready() : 'not listening for probes')

  const own = { ...routesOf(top, flows, counters, writers, ledger), ...flowRoutes(flows), ...page.routes }
  const webs = [...sinks.webs, ...page.webs(unready)]
  const server = await serveAll(options.socket, { ...own, ...sinks.routes }, webs, unready)
  await listeners.open(options.listen)
  const timers = [
    every(EXPIRE_MS, 'expiry', troubles, () => {
      for (const part of [ingest, hosts, top, page, writers, sinks, cluster]) part.expire()
    }),
    every(SELF_INTERVAL * 1000, 'counting what the collector does', troubles, () => {
      writers.writeSelf(Date.now() / 1000)
      service.status(progress.since(counters.totals(), SELF_INTERVAL))
    }),
  ]
  const found = { listen: options.listen, sinks: sinks.names, profile, connections: gate.max }
  goLive(service, settings, { sinks, writers, access })
  service.started({ ...found, http: server.url, page: page.url }, 'listening', () => sinks.stuck())

  await stopped()
  for (const timer of timers) clearInterval(timer)
  listeners.stop()
  flows.close()
  // what waits for a name is left to who comes after us: without an acknowledgement the probe sends its window again
  for (const part of [sinks, ipfix, ledger, listeners, server, page, cluster]) await part.close()
  log.info(counters.view(), 'stopped')
}
