/** The probe: options, start, the path of the data, stop. */

import type { Command } from 'commander'
import type { Rows } from '../wire/layout.ts'
import type { Names } from '../wire/message.ts'
import { Service } from '../wire/process/service.ts'
import { stopping } from '../wire/process/signals.ts'
import { ThrottledLog } from '../wire/process/throttled_log.ts'
import { LiveSettings } from '../wire/settings/live.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { checkProbe } from './check.ts'
import { ClockLog } from './clock_log.ts'
import { Counters, costs } from './counters.ts'
import { Heads, identityOf } from './heads.ts'
import { Host, ProbeStats } from './host_figures.ts'
import { Identifier } from './identify/identify.ts'
import { sourcesIn } from './identify/places.ts'
import { kernelClock } from './kernel/clock.ts'
import { dropPrivileges } from './kernel/drop.ts'
import { Kernel } from './kernel/kernel.ts'
import { shortcomings } from './kernel/privileges.ts'
import { live } from './live.ts'
import { kernelOptions, probeSettings, publisherOptions, sendOffsetOf } from './options.ts'
import { Progress } from './progress.ts'
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
    run(new LiveSettings(probeSettings, 'probe', flags, process.env, { check: checkProbe })),
  )
}

async function run(settings: LiveSettings<typeof probeSettings>): Promise<void> {
  const options = settings.values
  const { interval } = options
  const service = await Service.open('probe', settings, () => import('bcc-bindings'))
  const { log } = service
  const identity = identityOf(options.host)
  const kernel = new Kernel(kernelOptions(options), {
    flows: (ring, records) => reader.take(ring, records),
    cgroups: (_, records) => identifier.learn(records),
    processes: (_, records) => identifier.learnProcesses(records),
    refused: sentence => log.warn(sentence),
  })
  const reader = new Reader(kernel, kernelClock, interval)
  const fold = new FlowFold(kernel)
  const sources = sourcesIn(options)
  const names = [kernel.layout('cgroup_path'), kernel.layout('process')] as const
  const identifier = new Identifier(...names, sources, { labels: options.label })
  const sendOffset = new SendOffset(identity.host, sendOffsetOf(options), interval)
  const publisher = await Publisher.open({ ...publisherOptions(options), sendOffset }, identity, log)
  const [host, stats, sentNames] = [new Host(), new ProbeStats(), new SentNames()]
  const clockLog = new ClockLog(reader.windows, interval, new ThrottledLog(log))
  const counters = new Counters()
  const kernelLosses = { losses: () => kernel.lost() }
  counters.add(kernelLosses, reader, fold, sources, identifier, publisher, host, costs)
  const heads = new Heads(identity, interval, () => counters.lost())
  stopping().addEventListener('abort', () => reader.stop(), { once: true })
  await kernel.scan()
  for (const sentence of [...kernel.shortcomings(), ...shortcomings()]) log.warn(sentence)
  dropPrivileges()
  settings.onChange(live({ publisher, sendOffset, sources, identifier }, interval))
  const progress = new Progress(interval)
  const found = { ...identity, collectors: options.collector, interval }
  service.started(found, 'attached; no window has ended yet', () => progress.fault())

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
    service.status(progress.ended(window, publisher.stats()))
  }

  const left = await publisher.close(STOP_MS)
  log.info(counters.lost(), left ? `stopped; ${left}` : 'stopped')
  sources.close()
  kernel.close()
}
