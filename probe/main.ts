/** The probe: options, start, the path of the data, stop. */

import type { Command } from 'commander'
import type { Rows } from '../wire/layout.ts'
import type { Names } from '../wire/message.ts'
import { openLog } from '../wire/process/log.ts'
import { stopping } from '../wire/process/signals.ts'
import { ThrottledLog } from '../wire/process/throttled_log.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { checkProbe } from './check.ts'
import { ClockLog } from './clock_log.ts'
import { Counters, costs } from './counters.ts'
import { Heads, identityOf } from './heads.ts'
import { Host, ProbeStats } from './host_figures.ts'
import { Identifier } from './identify/identify.ts'
import { sourcesIn } from './identify/places.ts'
import { kernelClock } from './kernel/clock.ts'
import { sentenceOf } from './kernel/finding.ts'
import { Kernel } from './kernel/kernel.ts'
import { namespaces } from './kernel/privileges.ts'
import { kernelOptions, type ProbeOptions, probeSettings, publisherOptions } from './options.ts'
import { Publisher } from './publish/publish.ts'
import { SendOffset } from './publish/send_offset.ts'
import { SentNames } from './publish/sent_names.ts'
import { FlowFold } from './read/fold.ts'
import { Reader } from './read/read.ts'

const STOP_MS = 1000
const NO_NAMES: Names = { cgroups: {}, containers: {}, pods: {} }

export function addProbe(program: Command): void {
  const command = program
    .command('probe')
    .description('read the sockets of this host and send them to collectors')
  addFlags(command, 'probe', probeSettings)
  command.action(async flags =>
    run(readSettings(probeSettings, 'probe', flags, process.env, { check: checkProbe })),
  )
}

async function run(options: ProbeOptions): Promise<void> {
  const { interval } = options
  const log = openLog('probe', options.logLevel)
  const identity = identityOf(options.host)
  const kernel = new Kernel(kernelOptions(options), {
    flows: (ring, records) => reader.take(ring, records),
    cgroups: (_, records) => identifier.learn(records),
    processes: (_, records) => identifier.learnProcesses(records),
  })
  const reader = new Reader(kernel, kernelClock, interval)
  const fold = new FlowFold(kernel)
  const sources = sourcesIn(options, identity.host)
  const names = [kernel.layout('cgroup_path'), kernel.layout('process')] as const
  const identifier = new Identifier(...names, sources, { labels: options.label })
  const sendOffset = new SendOffset(identity.host, options.sendOffset ?? interval / 5, interval)
  const publisher = await Publisher.open({ ...publisherOptions(options), sendOffset }, identity, log)
  const [host, stats, sentNames] = [new Host(), new ProbeStats(), new SentNames()]
  const clockLog = new ClockLog(reader.windows, interval, new ThrottledLog(log))
  const counters = new Counters()
  const kernelLosses = { losses: () => kernel.lost() }
  counters.add(kernelLosses, reader, fold, sources, identifier, publisher, host, costs)
  const heads = new Heads(identity, interval, () => counters.lost())
  stopping().addEventListener('abort', () => reader.stop(), { once: true })
  await kernel.scan()
  for (const [{ gives, fallback }, why] of kernel.unavailable)
    log.warn(`${gives} unavailable (${why}); fallback: ${fallback}`)
  const where = namespaces({ root: '/' })
  if (where.ok !== true) log.warn(sentenceOf(where))
  log.info({ ...identity, collectors: options.collector, interval }, 'started')

  const batches = options.fold ? fold.fold(reader.read()) : reader.read()
  for await (const { window, rows } of batches) {
    const add = (rows: Rows, names: Names) =>
      publisher.add(rows, sentNames.with(names), () => heads.of(window))
    if (rows) {
      add(rows, identifier.namesOf(rows.layout, rows.bytes))
      continue
    }
    const own = stats.since(counters.all())
    for (const sampled of [...(await host.sample()), own]) add(sampled, NO_NAMES)
    const { running, processes, ...found } = identifier.running()
    const names = { ...sentNames.with(found), running, ...(processes && { processes }) }
    publisher.end(heads.end(window), names)
    sentNames.end()
    clockLog.ended(window)
  }

  const left = await publisher.close(STOP_MS)
  log.info(counters.lost(), left ? `stopped; ${left}` : 'stopped')
  sources.close()
  kernel.close()
}
