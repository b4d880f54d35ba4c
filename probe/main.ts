/** The probe: options, start, the path of the data, stop. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import type { Rows } from '../wire/layout.ts'
import type { Head, Losses, Who, WindowHead, WindowKey } from '../wire/message.ts'
import { rssBytes } from '../wire/process/guarded.ts'
import { droppedLines, openLog } from '../wire/process/log.ts'
import { stopping } from '../wire/process/signals.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { checkProbe } from './check.ts'
import { Host, ProbeStats, type ProbeTotals } from './host.ts'
import { Identifier } from './identify/identify.ts'
import { sourcesIn } from './identify/places.ts'
import type { Sources } from './identify/sources.ts'
import { kernelClock } from './kernel/clock.ts'
import { Kernel } from './kernel/kernel.ts'
import { type ProbeOptions, probeSettings } from './options.ts'
import { Publisher } from './publish/publish.ts'
import { Said } from './publish/said.ts'
import { Turn } from './publish/turn.ts'
import { FlowFold } from './read/fold.ts'
import { Reader } from './read/read.ts'
import type { Window } from './read/window.ts'

const STOP_MS = 1000
const NOBODY: Who = { cgroups: {}, containers: {}, pods: {} }

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
  const log = openLog('probe', options.logLevel)
  const identity = {
    host: options.host ?? hostname(),
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    probe: randomBytes(8).toString('hex'),
  }
  const kernel = new Kernel(
    {
      maxFlows: options.maxFlows,
      maxUdpFlows: options.maxUdpFlows,
      ringBytes: options.ringSize,
      udp: options.udp,
      rttSamples: options.rtt === 'samples',
    },
    {
      flows: (ring, records) => reader.take(ring, records),
      cgroups: (_, records) => identifier.learn(records),
      processes: (_, records) => identifier.learnProcesses(records),
    },
  )
  const sources = sourcesIn(options, identity.host)
  const identifier = new Identifier(kernel.layout('cgroup_path'), kernel.layout('process'), sources, {
    labels: options.label,
  })
  const reader = new Reader(kernel, kernelClock, options.interval)
  const fold = new FlowFold(kernel)
  const publisher = new Publisher(
    {
      collectors: options.collector,
      sendTo: options.sendTo,
      queueBytes: options.queueSize,
      turn: new Turn(identity.host, options.spread ?? options.interval / 5, options.interval),
    },
    identity,
    log,
  )
  stopping().addEventListener('abort', () => reader.stop(), { once: true })
  await kernel.scan()
  for (const [{ gives, fallback }, why] of kernel.unavailable)
    log.warn(`without ${gives}: ${fallback}; ${why}`)
  log.info({ ...identity, collectors: options.collector, interval: options.interval }, 'started')

  const [host, stats, said] = [new Host(), new ProbeStats(), new Said()]
  let sequence = 0
  const headOf = (window: Window): Head => ({
    ...identity,
    window: window.index,
    sequence: sequence++,
    start_ns: String(window.startNs),
    lost: lossesOf(kernel, reader, fold, identifier, sources, publisher),
  })
  const batches = options.fold ? fold.fold(reader.read()) : reader.read()
  for await (const { window, rows } of batches) {
    const add = (rows: Rows, who: Who) => publisher.add(rows, said.with(who), () => headOf(window))
    if (rows) {
      add(rows, identifier.who(rows.layout, rows.bytes))
      continue
    }
    const own = stats.since(totalsOf(publisher, reader, host))
    for (const sampled of [...(await host.sample()), own]) add(sampled, NOBODY)
    const { running, processes, ...names } = identifier.running()
    const who = { ...said.with(names), running, ...(processes && { processes }) }
    publisher.end(endOf(headOf(window), window, options.interval), who)
    said.end()
  }

  await publisher.close(STOP_MS)
  log.info(lossesOf(kernel, reader, fold, identifier, sources, publisher), 'stopped')
  sources.close()
  kernel.close()
}

const endOf = (head: Head & WindowKey, window: Window, interval: number): WindowHead => ({
  ...head,
  end_ns: String(window.endNs),
  time: window.time,
  interval,
  clock_offset_ns: String(window.clockOffsetNs),
  partial: window.partial,
})

/** What the probe did and took, since its start or now. */
function totalsOf(publisher: Publisher, reader: Reader, host: Host): ProbeTotals {
  const { user, system } = process.cpuUsage()
  const { messages, rows, waiting, bytes } = publisher.stats()
  return {
    user_us: user,
    system_us: system,
    rss_bytes: rssBytes(),
    queue_bytes: bytes,
    queue_messages: waiting,
    rows,
    messages,
    guessed_flows: reader.guessed,
    host_failures: host.failures,
  }
}

/** Everything that was lost or mended so far, by stage and reason; what is 0 is left out. */
function lossesOf(
  kernel: Kernel,
  reader: Reader,
  fold: FlowFold,
  identifier: Identifier,
  sources: Sources,
  publisher: Publisher,
): Losses {
  const counts = {
    ...kernel.lost(),
    'kernel/close_missed': reader.missed,
    'fold/full': fold.full,
    ...sources.lost(),
    'identify/unknown_cgroup': identifier.unknownCgroups,
    'identify/no_cgroup': identifier.ownerlessRows,
    'log/dropped': droppedLines(),
    'queue/full': publisher.stats().dropped,
    'window/skipped': reader.windows.skipped,
    'window/stretched': reader.windows.stretched,
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}
