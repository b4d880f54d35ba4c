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
import type { Feed } from './connection.ts'
import { type Connected, connect } from './connections.ts'
import { Failover } from './failover.ts'
import { type Accounts, type Amount, summed } from './ledger.ts'
import { Queue, type Queued } from './queue.ts'
import { amountOf, QueueLog } from './queue_log.ts'
import { ranked } from './rendezvous.ts'
import type { SendOffset } from './send_offset.ts'
import { Slabs } from './slabs.ts'

export interface PublishOptions {
  /** ZeroMQ endpoints, for example `tcp://127.0.0.1:5556`. */
  readonly collectors: readonly string[]
  readonly sendTo: 'all' | 'one'
  /** Bytes that may wait: for each collector, or for the one. */
  readonly queueBytes: number
  /** When in each window this host sends. */
  readonly sendOffset: SendOffset
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
  readonly #queues: readonly Queue[]
  readonly #queueLogs: readonly QueueLog[]
  readonly #connections: readonly Connected[]
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

  constructor(options: PublishOptions, identity: Identity, log: Logger) {
    const { collectors, sendTo, queueBytes, sendOffset } = options
    this.#sendOffset = sendOffset
    const endpoints = sendTo === 'one' ? ranked(identity.host, collectors) : collectors
    const [first, ...others] = endpoints
    if (sendTo === 'one' && first !== undefined)
      this.#failover = new Failover(
        [first, ...others],
        new Queue(queueBytes, identity),
        (settled, elsewhere) => encodeSettled({ ...identity, ...settled, elsewhere }),
        () => this.#wake(),
        log,
      )
    this.#queues = this.#failover
      ? [this.#failover.queue]
      : endpoints.map(() => new Queue(queueBytes, identity))
    this.#queueLogs = this.#queues.map((queue, index) => {
      const one = this.#failover ? log : log.child({ collector: endpoints[index] })
      return new QueueLog(queue, one)
    })
    this.#bundler = new Bundler(this.#slabs, this.#queues.length)
    const feeds = this.#failover?.feeds ?? this.#queues.map(feedOf)
    this.#connections = endpoints.map((endpoint, index) =>
      connect(endpoint, this.#atOffset(feeds[index]!), identity, log),
    )
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
    const { full, stopped } = this.stats().accounts.lost
    return {
      'queue/full': full.rows,
      'queue/full_windows': full.windows,
      'queue/stopped': stopped.rows,
      'queue/stopped_windows': stopped.windows,
    }
  }

  figures() {
    const { messages, rows, waiting, bytes, accounts } = this.stats()
    return {
      ...{ messages, rows, queue_messages: waiting, queue_bytes: bytes },
      ...{ queue_windows: accounts.waiting.windows, queue_rows: accounts.waiting.rows },
      ...{ stored_windows: accounts.stored.windows, stored_rows: accounts.stored.rows },
    }
  }

  /**
   * Waits until everything is acknowledged, at most so long, then disconnects. What is not acknowledged by then is lost.
   * @returns how much that is, for the log; undefined when it is nothing
   */
  async close(deadlineMs: number): Promise<string | undefined> {
    this.#isClosing = true
    this.#wake()
    const until = performance.now() + deadlineMs
    while (this.stats().waiting > 0 && performance.now() < until) await sleep(20)
    clearTimeout(this.#waking)
    await Promise.all(this.#connections.map(connection => connection.close()))
    const unacknowledged = this.#stop()
    return unacknowledged.windows > 0 ? amountOf(unacknowledged) : undefined
  }

  #stop(): Amount {
    const { waiting } = this.stats().accounts
    for (const { ledger } of this.#queues) ledger.stop()
    return waiting
  }

  #atOffset(feed: Feed): Feed {
    return { ...feed, next: () => (this.#isDue() ? feed.next() : undefined) }
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
    for (const queueLog of this.#queueLogs) queueLog.check()
    this.#wake()
  }

  #wake(): void {
    for (const connection of this.#connections) connection.wake()
  }
}
