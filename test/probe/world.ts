/**
 * A probe and three collectors in one process, with a network between them that loses what was on its way and lets
 * connections overtake each other. All collectors write to one database.
 */

import { pino } from 'pino'
import { Ingest } from '../../collector/ingest/ingest.ts'
import { Failover } from '../../probe/publish/failover.ts'
import { Queue, type Settled } from '../../probe/publish/queue.ts'
import {
  encodeMessage,
  encodeSettled,
  encodeWindow,
  type Head,
  type Names,
  type WindowKey,
  type WindowNames,
} from '../../wire/message.ts'
import { bundleOf } from '../harness/bundle.ts'
import { encodeRows, tcpFlowLayout } from '../harness/rows.ts'

export const RANKS = [0, 1, 2]
const identity = { host: 'h', boot: 'b', probe: 'p' }
const layout = tcpFlowLayout()
const nobody: Names = { cgroups: {}, containers: {}, pods: {} }
const everybody: WindowNames = { ...nobody, running: [] }

/** A probe's end of it: messages with known numbers of rows, and losses that rise. */
export class Probe {
  readonly failover: Failover
  /** Rows of each window that has ended, and what was lost in it. */
  readonly ended: { rows: number; lost: number }[] = []
  /** Of the running window. */
  rows = 0
  #sequence = 0
  #lost = 0
  #told = 0

  constructor(queueBytes = 2 ** 20) {
    const endpoints: [string, ...string[]] = ['a', 'b', 'c']
    const settled = (settled: Settled, elsewhere: boolean) => encodeSettled({ ...settled, elsewhere })
    this.failover = new Failover(
      endpoints,
      new Queue(queueBytes, identity),
      settled,
      () => {},
      pino({ level: 'silent' }),
    )
  }

  get window(): number {
    return this.ended.length
  }

  push(rows: number): void {
    this.rows += rows
    const head = this.#head()
    const flows = Array.from({ length: rows }, () => ({}))
    this.#send(
      head,
      encodeMessage(head, bundleOf({ layout, bytes: encodeRows(layout, flows) }), nobody),
      rows,
      false,
    )
  }

  end(): void {
    this.#lost += this.window % 3
    const head = this.#head()
    const partial = this.window === 0
    const end = { end_ns: '2', time: 1000 + this.window, interval: 1, clock_offset_ns: '0', partial }
    const frames = encodeWindow({ ...head, ...end }, bundleOf(), everybody)
    this.ended.push({ rows: this.rows, lost: this.#lost - this.#told })
    this.#told = this.#lost
    this.rows = 0
    this.#send(head, frames, 0, true)
  }

  #head(): Head {
    const lost: Record<string, number> = this.#lost > 0 ? { 'kernel/slot': this.#lost } : {}
    return { ...identity, window: this.window, sequence: this.#sequence++, start_ns: '1', lost }
  }

  #send({ window, sequence, lost }: Head, frames: Buffer[], rows: number, isEnd: boolean): void {
    this.failover.push({ window, sequence, lost, frames, rows, isEnd })
  }
}

/** What the network holds of one connection. */
interface Pipe {
  readonly messages: Buffer[][]
  isOpen: boolean
}

type Write = (key: WindowKey, rows: number, lost: number, complete: boolean) => void

/** A collector and its connections, the last one open. Sinks take a window at once, and all write to one database. */
export class Collector {
  isRunning = true
  /** SIGSTOP: nothing is read, connections stay. */
  isStopped = false
  now = 0
  ingest = this.#ingest()
  pipes: Pipe[] = []
  acknowledgements: { pipe: Pipe; key: WindowKey }[] = []
  readonly lost: Record<string, number>[] = []
  readonly #feed: Failover['feeds'][number]
  readonly #write: Write
  #route: Pipe | undefined

  constructor(feed: Failover['feeds'][number], write: Write) {
    this.#feed = feed
    this.#write = write
  }

  /** What every run of it did not count, when the probe has gone for good; that of a window begun here, too. */
  counted(): Record<string, number>[] {
    this.now = Number.POSITIVE_INFINITY
    this.ingest.expire()
    return [...this.lost, this.ingest.lost]
  }

  get pipe(): Pipe | undefined {
    const last = this.pipes.at(-1)
    return last?.isOpen ? last : undefined
  }

  connect(): void {
    if (this.pipe || !this.isRunning || this.isStopped) return
    this.pipes.push({ messages: [], isOpen: true })
    this.#feed.begin()
    this.#feed.reached(true)
  }

  /** @param arriving of what is on its way */
  disconnect(arriving: number): void {
    if (!this.pipe) return
    this.pipe.messages.splice(arriving)
    this.pipe.isOpen = false
    this.#feed.reached(false)
  }

  kill(): void {
    this.disconnect(0)
    this.pipes = []
    this.acknowledgements = []
    this.lost.push(this.ingest.lost)
    this.ingest = this.#ingest()
    this.isRunning = false
    this.isStopped = false
  }

  send(most: number): void {
    for (let sent = 0; sent < most && this.pipe; sent++) {
      const frames = this.#feed.next()
      if (!frames) return
      this.pipe.messages.push(frames)
    }
  }

  /** Messages of one connection come in order, those of several in any. */
  read(which: number, most: number): void {
    const pipe = this.pipes[which % this.pipes.length]
    if (!pipe || !this.isRunning || this.isStopped) return
    for (const frames of pipe.messages.splice(0, most)) {
      this.#route = this.pipes.indexOf(pipe) >= this.pipes.indexOf(this.#route!) ? pipe : this.#route
      const { key, folded, repeatedEnd } = this.ingest.receive(frames)
      for (const { key, partial, complete, lost, fold } of folded) {
        if (!partial) this.#write(key, fold.rows, lost['kernel/slot'] ?? 0, complete)
        this.acknowledgements.push({ pipe: this.#route!, key })
      }
      if (repeatedEnd) this.acknowledgements.push({ pipe: this.#route!, key })
    }
  }

  answer(most: number): void {
    if (this.isStopped) return
    for (const { pipe, key } of this.acknowledgements.splice(0, most))
      if (pipe.isOpen) this.#feed.acknowledged(key)
  }

  /** Its own clock was never set, so that it takes labels near 0. */
  #ingest(): Ingest {
    return new Ingest(
      undefined,
      undefined,
      () => this.now,
      () => 0,
    )
  }
}

export type Step =
  | { readonly do: 'push' }
  | { readonly do: 'end' }
  | {
      readonly do: 'send' | 'read' | 'answer' | 'kill' | 'start' | 'stop' | 'continue' | 'cut' | 'connect'
      readonly collector: number
      readonly number: number
    }

export class World {
  readonly probe: Probe
  readonly written = new Map<number, number>()
  /** Windows that were written, but not whole, because the queue dropped some of them. */
  readonly damaged = new Set<number>()
  readonly collectors: Collector[]

  constructor(queueBytes?: number) {
    this.probe = new Probe(queueBytes)
    this.collectors = this.probe.failover.feeds.map(feed => new Collector(feed, this.#write))
  }

  #write = ({ window }: WindowKey, rows: number, lost: number, complete: boolean): void => {
    const expected = this.probe.ended[window]!
    const { dropped } = this.probe.failover.queue
    // its end was dropped, or those of three windows before it: the collector counts `incomplete` and `window_ahead`
    if (dropped > 0 && (!complete || rows < expected.rows)) {
      this.damaged.add(window)
      return
    }
    // the first after windows that were dropped has their losses, too
    const isRight = lost === expected.lost || dropped > 0
    if (!complete || rows !== expected.rows || !isRight)
      throw new Error(`window ${window} is ${expected.rows}, ${expected.lost}: written ${rows}, ${lost}`)
    this.written.set(window, (this.written.get(window) ?? 0) + 1)
  }

  take(step: Step): void {
    if (step.do === 'push') this.probe.push(1 + (this.probe.window % 4))
    else if (step.do === 'end') this.probe.end()
    else {
      const collector = this.collectors[step.collector]!
      const { number } = step
      if (step.do === 'send') collector.send(number)
      else if (step.do === 'read') collector.read(number, number)
      else if (step.do === 'answer') collector.answer(number)
      else if (step.do === 'kill') collector.kill()
      else if (step.do === 'start') {
        collector.isRunning = true
        collector.connect()
      } else if (step.do === 'stop') collector.isStopped = true
      else if (step.do === 'continue') collector.isStopped = false
      else if (step.do === 'cut') collector.disconnect(number)
      else collector.connect()
    }
  }

  /** Everybody works again. */
  heal(windows: number): void {
    for (const collector of this.collectors) {
      collector.isRunning = true
      collector.isStopped = false
      collector.connect()
    }
    for (let window = 0; window < windows; window++) {
      this.probe.push(2)
      this.probe.end()
      for (let round = 0; round < 5; round++)
        for (const collector of this.collectors) {
          collector.send(1000)
          for (const which of collector.pipes.keys()) collector.read(which, 1000)
          collector.answer(1000)
        }
    }
  }
}
