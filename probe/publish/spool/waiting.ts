/** The queue of each collector, or of all of which one gets each window, and what keeps it on disk. */

import type { Logger } from 'pino'
import type { Identity } from '../../../wire/message.ts'
import { refuseForeign } from '../../../wire/process/foreign.ts'
import { ranked } from '../../../wire/rendezvous.ts'
import { spoolDirectory } from '../../../wire/spool/place.ts'
import type { Amount } from '../ledger.ts'
import { Queue } from '../queue.ts'
import { amountOf } from '../queue_log.ts'
import type { SendOffset } from '../send_offset.ts'
import { queueDirectory, warnOfOthers } from './place.ts'
import { Spooler } from './spooler.ts'

export interface WaitingOptions {
  /** ZeroMQ endpoints, for example `tcp://127.0.0.1:5556`. */
  readonly collectors: readonly string[]
  readonly sendTo: 'all' | 'one'
  /** Bytes that may wait: for each collector, or for the one. */
  readonly queueBytes: number
  /** When in each window this host sends. */
  readonly sendOffset: SendOffset
  /** What waits is on disk, too: each queue has so many bytes, for so long. The directory is as `--spool` gives it. */
  readonly spool?: { readonly directory: string | undefined; readonly bytes: number; readonly ageMs: number }
}

export interface Waiting {
  readonly queue: Queue
  /** By rank. */
  readonly endpoints: readonly string[]
  readonly log: Logger
  spooler?: Spooler
}

/** How long an acknowledgement may take, from the moment at which a window may be sent: InfluxDB takes 0.3 s. */
const GRACE_MS = 1000

/** In memory alone. */
export function waitingOf(options: WaitingOptions, identity: Identity, log: Logger): Waiting[] {
  const { collectors, sendTo, queueBytes } = options
  const queue = () => new Queue(queueBytes, identity)
  if (sendTo === 'one') return [{ queue: queue(), endpoints: ranked(identity.host, collectors), log }]
  return collectors.map(collector => {
    return { queue: queue(), endpoints: [collector], log: log.child({ collector }) }
  })
}

/**
 * With the spool, and what earlier runs have left in it.
 * @param wake called when there may be something to send
 */
export async function openWaiting(
  options: WaitingOptions,
  identity: Identity,
  log: Logger,
  wake: () => void,
): Promise<Waiting[]> {
  const waiting = waitingOf(options, identity, log)
  const { spool, sendTo, queueBytes, sendOffset } = options
  const root = spool && spoolDirectory(spool.directory)
  if (!spool || root === undefined) {
    log.info('no spool: what waits when the probe ends is lost; give --spool a directory')
    return waiting
  }
  refuseForeign(root, '--spool')
  const bounds = {
    maxBytes: spool.bytes,
    maxAgeMs: spool.ageMs,
    queueBytes,
    graceMs: GRACE_MS + sendOffset.delayMs,
  }
  const directories: string[] = []
  for (const one of waiting) {
    const directory = queueDirectory(root, sendTo === 'one' ? undefined : one.endpoints[0])
    directories.push(directory)
    const collector = one.endpoints.join(' ')
    one.spooler = await Spooler.open(one.queue, identity, { ...bounds, directory, collector }, one.log, wake)
  }
  await warnOfOthers(root, directories, log)
  return waiting
}

/** Columns of `probe_stats`. */
export function spoolFigures(waiting: readonly Waiting[], now = Date.now()) {
  const stats = waiting.flatMap(({ spooler }) => spooler?.stats ?? [])
  const ages = stats.map(({ oldest = now }) => Math.max(0, now - oldest))
  return {
    spool_bytes: stats.reduce((sum, { bytes }) => sum + bytes, 0),
    spool_windows: stats.reduce((sum, { windows }) => sum + windows, 0),
    spool_seconds: Math.round(Math.max(0, ...ages) / 1000),
  }
}

/** What is left when the probe ends, for the log; undefined when it is nothing. */
export function leftText(waiting: Amount, stopped: Amount): string | undefined {
  const says = (amount: Amount, what: string) => (amount.windows > 0 ? [`${amountOf(amount)} ${what}`] : [])
  const all = [
    ...says(waiting, 'are kept in the spool for the next start'),
    ...says(stopped, 'were not acknowledged in time and are lost'),
  ]
  return all.length > 0 ? all.join('; ') : undefined
}
