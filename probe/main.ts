/** The probe: options, start, the path of the data, stop. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { pino } from 'pino'
import { Identifier } from './identify/identify.ts'
import { sourcesIn } from './identify/places.ts'
import type { Sources } from './identify/sources.ts'
import { Kernel, kernelClock } from './kernel.ts'
import { type ProbeOptions, probeSettings } from './options.ts'
import { Publisher } from './publish.ts'
import { type Batch, Reader } from './read.ts'
import { addFlags, readSettings } from './settings.ts'
import { type Head, type Losses, SCHEMA, WINDOW, type WindowHead, type WindowKey } from './wire/message.ts'

const STOP_MS = 1000
const NO_ROWS = Buffer.alloc(0)

export function addProbe(program: Command): void {
  const command = program
    .command('probe')
    .description('read the sockets of this host and send them to collectors')
  addFlags(command, 'probe', probeSettings)
  command.action(async flags => run(readSettings(probeSettings, 'probe', flags, process.env)))
}

async function run(options: ProbeOptions): Promise<void> {
  const log = pino({ name: 'probe', level: options.logLevel }, pino.destination({ dest: 2, sync: true }))
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
    (ring, records) => {
      if (ring === 'cgroup_path') identifier.learn(records)
      else if (ring === 'process') identifier.learnProcesses(records)
      else reader.take(ring, records)
    },
  )
  for (const [{ gives, without }, why] of kernel.missing) log.warn(`without ${gives}: ${without}; ${why}`)
  const sources = sourcesIn(options, identity.host)
  const identifier = new Identifier(kernel.cgroupPath, kernel.process, sources, { labels: options.label })
  const reader = new Reader(kernel, kernelClock, options.interval)
  const publisher = new Publisher(
    { collectors: options.collector, queueBytes: options.queueSize },
    identity,
    log,
  )
  const stop = () => reader.stop()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  await kernel.scan()
  log.info({ ...identity, collectors: options.collector, interval: options.interval }, 'started')

  let sequence = 0
  const headOf = ({ window }: Batch): Head => ({
    schema: SCHEMA,
    ...identity,
    window: window.index,
    sequence: sequence++,
    start_ns: String(window.startNs),
    lost: lossesOf(kernel, reader, identifier, sources, publisher),
  })
  for await (const batch of reader.read()) {
    const head = headOf(batch)
    if (!batch.rows)
      publisher.publish(WINDOW, windowHead(head, batch, options.interval), NO_ROWS, identifier.running())
    else {
      const { layout, bytes } = batch.rows
      publisher.publish(layout.name, { ...head, layout }, bytes, identifier.who(layout, bytes))
    }
  }

  await publisher.close(STOP_MS)
  log.info(lossesOf(kernel, reader, identifier, sources, publisher), 'stopped')
  sources.close()
  kernel.close()
}

const windowHead = (head: Head & WindowKey, { window }: Batch, interval: number): WindowHead => ({
  ...head,
  end_ns: String(window.endNs),
  time: window.time,
  interval,
  clock_offset_ns: String(window.clockOffsetNs),
  partial: window.partial,
})

/** Everything that was lost or mended so far, by stage and reason; what is 0 is left out. */
function lossesOf(
  kernel: Kernel,
  reader: Reader,
  identifier: Identifier,
  sources: Sources,
  publisher: Publisher,
): Losses {
  const counts = {
    ...kernel.lost(),
    'kernel/close_unseen': reader.missed,
    'identify/guessed_owner': reader.guessed,
    ...sources.lost(),
    'identify/unknown_cgroup': identifier.unknownCgroups,
    'identify/no_cgroup': identifier.ownerlessRows,
    'queue/full': publisher.stats().dropped,
    'window/skipped': reader.windows.skipped,
    'window/stretched': reader.windows.stretched,
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}
