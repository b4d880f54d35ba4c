/**
 * Sends to every collector, or to the one that ranks first for this host. A message is kept until its window is
 * acknowledged. Sending starts at the oldest message that is not: in order, without holes. The receiver drops what
 * arrives twice by its sequence.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Rows } from '../../wire/layout.ts'
import {
  type Bundle,
  encodeMessage,
  encodeSettled,
  encodeWindow,
  type Head,
  type Identity,
  type Losses,
  type Names,
  type WindowHead,
  type WindowNames,
} from '../../wire/message.ts'
import { spoolDirectory } from '../../wire/spool/place.ts'
import { Bundler, type Kept } from './bundler.ts'
import type { Feed } from './connection.ts'
import { type Connected, connect } from './connections.ts'
import { Failover } from './failover.ts'
import { type Accounts, type Amount, REASONS, summed } from './ledger.ts'
import { Queue, type Queued } from './queue.ts'
import { amountOf, QueueLog } from './queue_log.ts'
import { ranked } from './rendezvous.ts'
import type { SendOffset } from './send_offset.ts'
import { Slabs } from './slabs.ts'
import { Pace } from './spool/pace.ts'
import { queueDirectory } from './spool/place.ts'
import { Spooler } from './spool/spooler.ts'

export interface PublishOptions {
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

/** How long an acknowledgement may take, from the moment at which a window may be sent: InfluxDB takes 0.3 s. */
const GRACE_MS = 1000

/** Bytes of rows in a message. A full page of the kernel's pass fits: `PAGE_ROWS` in `bpf/report.bpf.h`. */
export const SLAB_BYTES = 4096 * 192

/** The queue of a collector, or of all of which one gets each window, and what keeps it on disk. */
interface Waiting {
  readonly queue: Queue
  readonly endpoints: readonly string[]
  readonly log: Logger
  spooler?: Spooler
}

function waitingOf(options: PublishOptions, identity: Identity, log: Logger): Waiting[] {
  const { collectors, sendTo, queueBytes } = options
  const queue = () => new Queue(queueBytes, identity)
  if (sendTo === 'one') return [{ queue: queue(), endpoints: ranked(identity.host, collectors), log }]
  return collectors.map(collector => {
    return { queue: queue(), endpoints: [collector], log: log.child({ collector }) }
  })
}

const feedOf = (queue: Queue): Feed => ({
  begin: () => queue.rewind(),
  reached: () => {},
  next: () => queue.next()?.frames,
  acknowledged: key => queue.acknowledge(key),
})

/** What the publisher counted since the start, and what waits. */
export interface PublisherStats {
  /** Built once, however many collectors get them. */
  readonly messages: number
  readonly rows: number
  /** Messages and their bytes, over all queues. */
  readonly waiting: number
  readonly bytes: number
  /** Windows and rows, once for each queue they were pushed to: produced = stored + lost + waiting. */
  readonly accounts: Accounts
}

const rowsOf = ({ parts }: Bundle): number =>
  parts.reduce((sum, { layout, length }) => sum + length / layout.size, 0)

export class Publisher {
  readonly #waiting: readonly Waiting[]
  readonly #queues: readonly Queue[]
  readonly #queueLogs: readonly QueueLog[]
  readonly #connections: readonly Connected[]
  readonly #paces: readonly Pace[]
  readonly #failover: Failover | undefined
  readonly #slabs = new Slabs(SLAB_BYTES)
  readonly #bundler: Bundler
  readonly #sendOffset: SendOffset
  #waking: NodeJS.Timeout | undefined
  #isClosing = false
  #messages = 0
  #rows = 0
  /** When the window before had ended. */
  #rowsBefore = 0

  /** With the spool, and what earlier runs have left in it. */
  static async open(options: PublishOptions, identity: Identity, log: Logger): Promise<Publisher> {
    const waiting = waitingOf(options, identity, log)
    const { spool, sendTo, queueBytes, sendOffset } = options
    const root = spool && spoolDirectory(spool.directory)
    let wake = () => {}
    for (const one of spool && root !== undefined ? waiting : []) {
      const directory = queueDirectory(root!, sendTo === 'one' ? undefined : one.endpoints[0])
      const [maxBytes, maxAgeMs, graceMs] = [spool!.bytes, spool!.ageMs, GRACE_MS + sendOffset.delayMs]
      const more = { maxBytes, maxAgeMs, graceMs, queueBytes, collector: one.endpoints.join(' ') }
      one.spooler = await Spooler.open(one.queue, identity, { directory, ...more }, one.log, () => wake())
    }
    if (root === undefined) log.info('no spool: what waits at a restart is lost; give --spool a directory')
    const publisher = new Publisher(options, identity, log, waiting)
    wake = () => publisher.#wake()
    return publisher
  }

  constructor(
    options: PublishOptions,
    identity: Identity,
    log: Logger,
    waiting: readonly Waiting[] = waitingOf(options, identity, log),
  ) {
    const { sendTo, queueBytes, sendOffset } = options
    this.#sendOffset = sendOffset
    this.#waiting = waiting
    this.#queues = waiting.map(({ queue }) => queue)
    this.#queueLogs = waiting.map(({ queue, log }) => new QueueLog(queue, queueBytes, log))
    this.#bundler = new Bundler(this.#slabs, this.#queues.length)
    this.#paces = this.#queues.map(queue => new Pace(queue, sendOffset.intervalMs, () => this.#wake()))
    const [{ queue, endpoints } = waiting[0]!] = waiting
    const [first, ...others] = endpoints
    if (sendTo === 'one' && first !== undefined)
      this.#failover = new Failover(
        [first, ...others],
        queue,
        (settled, elsewhere) => encodeSettled({ ...settled, elsewhere }),
        () => this.#wake(),
        log,
      )
    this.#connections = waiting.flatMap((one, index) => {
      const feeds = this.#failover?.feeds ?? [feedOf(one.queue)]
      return one.endpoints.map((endpoint, at) =>
        connect(endpoint, this.#feed(feeds[at]!, one, this.#paces[index]!), identity, log),
      )
    })
  }

  /**
   * Never waits. What a collector has not acknowledged stays in its queue; a full queue drops its oldest and counts it.
   * @param rows of the running window, copied
   * @param names of all rows of the window so far
   * @param headOf the next message's head
   */
  add({ layout, bytes }: Rows, names: Names, headOf: () => Head): void {
    for (let at = 0; at < bytes.length; ) {
      const added = this.#bundler.add({ layout, bytes: bytes.subarray(at) })
      at += added
      if (added > 0) continue
      const head = headOf()
      const bundle = this.#bundler.take()
      this.#push(head, encodeMessage(head, bundle, names), bundle, false)
    }
  }

  /** The window has ended. */
  end(head: WindowHead, names: WindowNames): void {
    const bundle = this.#bundler.take()
    const rows = this.#rows - this.#rowsBefore + rowsOf(bundle)
    this.#push(head, encodeWindow({ ...head, rows }, bundle, names), bundle, true)
    this.#rowsBefore = this.#rows
    this.#slabs.trim()
  }

  stats(): PublisherStats {
    const sum = (of: (queue: Queue) => number) => this.#queues.reduce((total, queue) => total + of(queue), 0)
    return {
      messages: this.#messages,
      rows: this.#rows,
      waiting: sum(({ length }) => length),
      bytes: sum(({ bytes }) => bytes),
      accounts: summed(this.#queues.map(({ ledger }) => ledger.accounts)),
    }
  }

  losses(): Losses {
    const { lost } = this.stats().accounts
    const counts = REASONS.flatMap(reason => [
      [`queue/${reason}`, lost[reason].rows] as const,
      [`queue/${reason}_windows`, lost[reason].windows] as const,
    ])
    return Object.fromEntries(counts)
  }

  figures() {
    const { messages, rows, waiting, bytes, accounts } = this.stats()
    return {
      ...{ messages, rows, queue_messages: waiting, queue_bytes: bytes },
      ...{ queue_windows: accounts.waiting.windows, queue_rows: accounts.waiting.rows },
      ...{ stored_windows: accounts.stored.windows, stored_rows: accounts.stored.rows },
      ...this.#spoolFigures(),
    }
  }

  #spoolFigures() {
    const stats = this.#waiting.flatMap(({ spooler }) => spooler?.stats ?? [])
    const sum = (of: (one: (typeof stats)[number]) => number) =>
      stats.reduce((total, one) => total + of(one), 0)
    const now = Date.now()
    const ages = stats.map(({ oldest }) => Math.max(0, now - (oldest ?? now)))
    const spool_seconds = Math.round(Math.max(0, ...ages) / 1000)
    return {
      spool_bytes: sum(({ bytes }) => bytes),
      spool_windows: sum(({ windows }) => windows),
      spool_seconds,
    }
  }

  /**
   * Waits until everything is acknowledged, at most so long, then disconnects. What is not acknowledged by then is kept
   * in the spool, or lost.
   * @returns how much that is, for the log; undefined when it is nothing
   */
  async close(deadlineMs: number): Promise<string | undefined> {
    this.#isClosing = true
    for (const { spooler } of this.#waiting) spooler?.stopping()
    this.#wake()
    const until = performance.now() + deadlineMs
    while (this.stats().waiting > 0 && performance.now() < until) await sleep(20)
    clearTimeout(this.#waking)
    for (const pace of this.#paces) pace.close()
    await Promise.all(this.#connections.map(connection => connection.close()))
    await Promise.all(this.#waiting.map(({ queue, spooler }) => spooler?.close() ?? queue.stop()))
    return this.#left()
  }

  #left(): string | undefined {
    const { waiting, lost } = this.stats().accounts
    const says = (amount: Amount, what: string) => (amount.windows > 0 ? [`${amountOf(amount)} ${what}`] : [])
    const all = [
      ...says(waiting, 'are kept in the spool for the next start'),
      ...says(lost.stopped, 'were not acknowledged in time and are lost'),
    ]
    return all.length > 0 ? all.join('; ') : undefined
  }

  /** As the queue's, at this host's offset, at a bounded pace, and with what is on disk. */
  #feed(feed: Feed, { spooler }: Waiting, pace: Pace): Feed {
    return {
      ...feed,
      reached(isUp) {
        feed.reached(isUp)
        spooler?.reached(isUp)
      },
      next: () => {
        const frames = this.#isDue() && pace.isOpen() ? feed.next() : undefined
        if (!frames) spooler?.fetch()
        return frames
      },
      acknowledged: key => {
        feed.acknowledged(key)
        spooler?.acknowledged()
        this.#wake() // the next one may be sent
      },
    }
  }

  #isDue(): boolean {
    const waitMs = this.#isClosing ? 0 : this.#sendOffset.waitMs()
    if (waitMs === 0) return true
    this.#waking ??= setTimeout(() => {
      this.#waking = undefined
      this.#wake()
    }, waitMs)
    return false
  }

  #push({ window, sequence, lost }: Head, frames: Buffer[], bundle: Kept, isEnd: boolean): void {
    const { release } = bundle
    const rows = rowsOf(bundle)
    const message: Queued = { window, sequence, lost, frames, rows, isEnd, release }
    this.#messages++
    this.#rows += rows
    if (this.#failover) this.#failover.push(message)
    else for (const queue of this.#queues) queue.push(message)
    for (const { spooler } of this.#waiting) spooler?.pushed()
    for (const queueLog of this.#queueLogs) queueLog.check()
    this.#wake()
  }

  #wake(): void {
    for (const connection of this.#connections) connection.wake()
  }
}
