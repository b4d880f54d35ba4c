/** The open sinks, each with its queue. */

import type { Batch } from '../batch.ts'
import type { Counted } from '../counters.ts'
import type { Routes } from '../routes.ts'
import type { Context, Live, Opened, Wants } from './descriptor.ts'
import { type OpenSink, openSinks, routesOf, type SinkOptions } from './open.ts'
import { SinkQueue } from './queue.ts'

/** Time for the last writes when the collector stops. */
const FLUSH_MS = 5000
/** A search for the lines that a slow InfluxDB refuses takes up to 200 requests; longer than this one takes only what hangs. */
const STUCK_MS = 30 * 60_000

export class Sinks implements Counted {
  readonly routes: Routes
  readonly #open: readonly (OpenSink & { readonly queue: SinkQueue })[]

  constructor(open: readonly OpenSink[], maxSamples: number, log: Context['log']) {
    this.#open = open.map(one => ({ ...one, queue: new SinkQueue(one.sink, { maxSamples, log }) }))
    this.routes = routesOf(open)
  }

  /** @throws with the remedy */
  static async open(
    options: SinkOptions & { readonly waitingSamples: number },
    context: Context,
  ): Promise<Sinks> {
    return new Sinks(await openSinks(options, context), options.waitingSamples, context.log)
  }

  get names(): string[] {
    return this.#open.map(({ sink }) => sink.name)
  }

  /** Where batches go, and what they must contain. */
  get outlets(): { wants: Wants; push(batch: Batch, done: () => void): void }[] {
    return this.#open.map(({ wants, queue }) => ({ wants, push: (batch, done) => queue.push(batch, done) }))
  }

  get webs(): NonNullable<Opened['web']>[] {
    return this.#open.flatMap(({ web }) => web ?? [])
  }

  /** Why one of them cannot take batches, or undefined. */
  unready(): string | undefined {
    for (const { sink, queue, unready } of this.#open) {
      if (queue.isFull) return `the queue of ${sink.name} is full; its oldest samples are dropped`
      const reason = unready?.()
      if (reason !== undefined) return `${sink.name}: ${reason}`
    }
    return undefined
  }

  /** A sink that has had one request in its hands for longer than any of its time-outs, or undefined. */
  stuck(): string | undefined {
    const stuck = this.#open.find(({ queue }) => queue.writingForMs > STUCK_MS)
    return (
      stuck && `${stuck.sink.name} has had one request for ${Math.round(stuck.queue.writingForMs / 1000)} s`
    )
  }

  /** Most samples in each queue from now on; with the next batch it drops what is beyond. */
  limit(maxSamples: number): void {
    for (const { queue } of this.#open) queue.maxSamples = maxSamples
  }

  /** The settings of open sinks that can change while they are open. */
  get live(): Live {
    return Object.assign({}, ...this.#open.map(({ live }) => live))
  }

  stats() {
    const sum = (of: (queue: SinkQueue) => number) =>
      this.#open.reduce((total, { queue }) => total + of(queue), 0)
    return {
      waiting: sum(({ counters }) => counters.waiting),
      written: sum(({ counters }) => counters.samples),
    }
  }

  losses(): Record<string, number> {
    const lost: Record<string, number> = {}
    for (const { sink, queue } of this.#open) {
      lost[`${sink.name}/dropped`] = queue.counters.dropped
      for (const [reason, count] of Object.entries(queue.counters.refused))
        lost[`${sink.name}/${reason}`] = count
    }
    return lost
  }

  view() {
    const counted = this.#open.map(({ sink, queue, counters }) => [
      sink.name,
      { ...queue.counters, ...counters?.() },
    ])
    return { sinks: Object.fromEntries(counted) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ queue }) => queue.close({ deadlineMs: FLUSH_MS })))
  }
}
