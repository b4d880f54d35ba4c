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
import { Bundler, type Kept } from './bundler.ts'
import { Failover } from './failover.ts'
import { type Accounts, REASONS, summed } from './ledger.ts'
import type { Feed } from './link/connection.ts'
import { type Connected, connect } from './link/connections.ts'
import { Trust, type TrustOptions } from './link/trust.ts'
import type { Queue, Queued } from './queue.ts'
import { QueueLog } from './queue_log.ts'
import type { SendOffset } from './send_offset.ts'
import { Slabs } from './slabs.ts'
import { Pace } from './spool/pace.ts'
import {
  leftText,
  openWaiting,
  spoolFigures,
  type Waiting,
  type WaitingOptions,
  waitingOf,
} from './spool/waiting.ts'

export interface PublishOptions extends WaitingOptions {
  /** How collectors are known. */
  readonly trust?: TrustOptions
}

/** Bytes of rows in a message. A full page of the kernel's pass fits: `PAGE_ROWS` in `bpf/report.bpf.h`. */
export const SLAB_BYTES = 4096 * 192

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
    let wake = () => {}
    const waiting = await openWaiting(options, identity, log, () => wake())
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
    const { sendTo, sendOffset } = options
    this.#sendOffset = sendOffset
    this.#waiting = waiting
    this.#queues = waiting.map(({ queue }) => queue)
    this.#queueLogs = waiting.map(({ queue, log }) => new QueueLog(queue, log))
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
    const trust = new Trust(options.trust)
    this.#connections = waiting.flatMap((one, index) => {
      const feeds = this.#failover?.feeds ?? [feedOf(one.queue)]
      return one.endpoints.map((endpoint, at) =>
        connect(endpoint, this.#feed(feeds[at]!, one, this.#paces[index]!), identity, trust, log),
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

  /** Each queue's from now on; with the next message it drops what is beyond. */
  limit(queueBytes: number): void {
    for (const queue of this.#queues) queue.maxBytes = queueBytes
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
      ...spoolFigures(this.#waiting),
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
    const { waiting, lost } = this.stats().accounts
    return leftText(waiting, lost.stopped)
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
