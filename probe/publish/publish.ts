/**
 * To the collectors: to each of them, or to the one that is this host's own. Everything is kept until its window is
 * acknowledged, and sent from the oldest message that is not: in order, nothing missing, and what arrives twice is told
 * by its sequence.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Rows } from '../../wire/layout.ts'
import {
  encodeMessage,
  encodeSettled,
  encodeWindow,
  type Head,
  type Identity,
  type Names,
  type WindowHead,
  type WindowNames,
} from '../../wire/message.ts'
import { Bundler } from './bundler.ts'
import type { Feed } from './connection.ts'
import { type Connected, connect } from './connections.ts'
import { Failover } from './failover.ts'
import { Queue, type Queued } from './queue.ts'
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

/** Of rows in a message: a full page of the kernel's pass fits in, `PAGE_ROWS` in `bpf/report.bpf.h`. */
export const SLAB_BYTES = 4096 * 192

const feedOf = (queue: Queue): Feed => ({
  begin: () => queue.rewind(),
  reached: () => {},
  next: () => queue.next()?.frames,
  acknowledged: key => queue.acknowledge(key),
})

export class Publisher {
  readonly #queues: readonly Queue[]
  readonly #connections: readonly Connected[]
  readonly #failover: Failover | undefined
  readonly #slabs = new Slabs(SLAB_BYTES)
  readonly #bundler: Bundler
  readonly #sendOffset: SendOffset
  #waking: NodeJS.Timeout | undefined
  #isClosing = false
  #messages = 0
  #rows = 0

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
    this.#bundler = new Bundler(this.#slabs, this.#queues.length)
    const feeds = this.#failover?.feeds ?? this.#queues.map(feedOf)
    this.#connections = endpoints.map((endpoint, index) =>
      connect(endpoint, this.#atOffset(feeds[index]!), identity, log),
    )
  }

  /**
   * Never waits: what a collector does not take stays in its queue, and the oldest of that is dropped and counted.
   * @param rows of the running window, copied
   * @param who names of all rows of the window so far
   * @param headOf the next message's head
   */
  add({ layout, bytes }: Rows, names: Names, headOf: () => Head): void {
    this.#rows += bytes.length / layout.size
    for (let at = 0; at < bytes.length; ) {
      const added = this.#bundler.add({ layout, bytes: bytes.subarray(at) })
      at += added
      if (added > 0) continue
      const head = headOf()
      const bundle = this.#bundler.take()
      this.#push(head, encodeMessage(head, bundle, names), bundle.release, false)
    }
  }

  /** The window has ended. */
  end(head: WindowHead, names: WindowNames): void {
    const bundle = this.#bundler.take()
    this.#push(head, encodeWindow(head, bundle, names), bundle.release, true)
    this.#slabs.trim()
  }

  /** What was published since the start, messages that a collector will not get, once for each, and what waits. */
  stats(): { messages: number; rows: number; dropped: number; waiting: number; bytes: number } {
    const sum = (of: (queue: Queue) => number) => this.#queues.reduce((total, queue) => total + of(queue), 0)
    return {
      messages: this.#messages,
      rows: this.#rows,
      dropped: sum(q => q.dropped),
      waiting: sum(q => q.length),
      bytes: sum(q => q.bytes),
    }
  }

  /** Wait until all that can be acknowledged is, at most so long, then disconnect. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true
    this.#wake()
    const until = performance.now() + deadlineMs
    while (this.stats().waiting > 0 && performance.now() < until) await sleep(20)
    clearTimeout(this.#waking)
    await Promise.all(this.#connections.map(connection => connection.close()))
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

  #push({ window, sequence, lost }: Head, frames: Buffer[], release: () => void, isEnd: boolean): void {
    const message: Queued = { window, sequence, lost, frames, release }
    this.#messages++
    if (this.#failover) this.#failover.push(message, isEnd)
    else for (const queue of this.#queues) queue.push(message)
    this.#wake()
  }

  #wake(): void {
    for (const connection of this.#connections) connection.wake()
  }
}
