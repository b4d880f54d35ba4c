/**
 * One of several collectors gets the windows: the first in rank that works. The others stand by. The collector changes
 * at the end of a window only. A collector writes then, so nothing is delayed, and one that was away for a part of a
 * window is not changed.
 *
 * Windows that are not acknowledged move as a whole, from the first message of the first of them. `settled` is sent
 * before them: all windows before that are stored by some collector.
 */

import type { Logger } from 'pino'
import type { Ack } from '../../wire/ack.ts'
import type { Feed } from './link/connection.ts'
import type { Queue, Queued, Settled } from './queue.ts'

interface Collector {
  readonly endpoint: string
  isUp: boolean
  /** It is connected and acknowledges nothing. */
  isSilent: boolean
  /** The last window of which it was sent a message. */
  sent: number | undefined
  /** `settled` was sent to it: at the start of its turn, or after it. */
  isTold: boolean
  /** Another collector has acknowledged windows since this one did. */
  isBehind: boolean
}

/**
 * Windows that may end without an acknowledgement. A window waits for names until the next one has ended, and sinks have
 * as long to write it. Twice that is a fault.
 */
const QUIET_WINDOWS = 4
/** The same for a collector that works and is to be left for a better one: its last windows wait for a name in vain. */
const LEAVING_WINDOWS = 2

export class Failover {
  readonly queue: Queue
  readonly #collectors: readonly Collector[]
  readonly #encode: (settled: Settled, elsewhere: boolean) => Buffer[]
  readonly #wake: () => void
  readonly #log: Logger
  #current: Collector
  /** Windows that ended since the last acknowledgement. */
  #quiet = 0
  /** The last window for the current collector, when a better one is connected. */
  #leaving: number | undefined

  /**
   * @param endpoints by rank
   * @param encode makes the `settled` message
   * @param wake called when there may be something to send
   */
  constructor(
    endpoints: readonly [string, ...string[]],
    queue: Queue,
    encode: (settled: Settled, elsewhere: boolean) => Buffer[],
    wake: () => void,
    log: Logger,
  ) {
    this.queue = queue
    const standBy = (endpoint: string): Collector => {
      return { endpoint, isUp: false, isSilent: false, sent: undefined, isTold: false, isBehind: false }
    }
    const [first, ...others] = endpoints
    this.#current = standBy(first)
    this.#collectors = [this.#current, ...others.map(standBy)]
    this.#encode = encode
    this.#wake = wake
    this.#log = log
    log.info({ collector: first, standbys: others }, 'chosen')
  }

  get feeds(): Feed[] {
    return this.#collectors.map(collector => ({
      begin: () => {
        collector.isTold = false
        if (collector === this.#current) this.queue.rewind()
      },
      reached: isUp => {
        collector.isUp = isUp
        collector.isSilent = false
      },
      next: () => this.#next(collector),
      acknowledged: key => {
        collector.isSilent = false
        if (this.queue.runs.at(key) === undefined) return
        if (collector === this.#current) this.#acknowledged(key)
        else this.queue.acknowledgedElsewhere(key)
      },
    }))
  }

  push(message: Queued): void {
    this.queue.push(message)
    if (message.isEnd) this.#ended(message.window)
    this.#wake()
  }

  #next(collector: Collector): Buffer[] | undefined {
    if (collector !== this.#current) {
      const isOver = collector.sent !== undefined && collector.sent < this.queue.settledTo
      return isOver && !collector.isTold ? this.#tell(collector) : undefined
    }
    if (!collector.isTold) return this.#tell(collector)
    const message = this.queue.next(this.#leaving)
    if (message) collector.sent = Math.max(collector.sent ?? message.window, message.window)
    return message?.frames
  }

  #tell(collector: Collector): Buffer[] {
    collector.isTold = true
    return this.#encode(this.queue.settled, collector.isBehind)
  }

  #acknowledged(key: Ack): void {
    this.#quiet = 0
    this.queue.acknowledge(key)
    for (const collector of this.#collectors) collector.isBehind ||= collector !== this.#current
    this.#current.isBehind = false
    const { oldest } = this.queue
    if (this.#leaving !== undefined && (oldest === undefined || oldest > this.#leaving))
      this.#change('a better one is back')
    this.#wake()
  }

  #ended(window: number): void {
    this.#quiet++
    if (this.#quiet > QUIET_WINDOWS) this.#current.isSilent = true
    const { isUp, isSilent } = this.#current
    if (!isUp) this.#change('out of reach')
    else if (isSilent) this.#change('no acknowledgements')
    else if (this.#best() === this.#current) this.#leaving = undefined
    else {
      this.#leaving ??= window
      if (window >= this.#leaving + LEAVING_WINDOWS) this.#change('a better one is back')
    }
  }

  /** The first that works; else the first that is connected: one that acknowledges nothing may wait for its sinks. */
  #best(): Collector {
    const there = this.#collectors.filter(({ isUp }) => isUp)
    return there.find(({ isSilent }) => !isSilent) ?? there[0] ?? this.#current
  }

  #change(why: string): void {
    this.#leaving = undefined
    const [from, to] = [this.#current, this.#best()]
    if (from === to) return
    this.#current = to
    this.#quiet = 0
    from.isTold = false
    to.isTold = false
    this.queue.rewind()
    this.#log.warn({ from: from.endpoint, to: to.endpoint, why, waiting: this.queue.length }, 'changed')
  }
}
