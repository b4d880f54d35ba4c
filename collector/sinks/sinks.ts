/** The open sinks, each with its queue. */

import type { Losses } from '../../wire/message.ts'
import type { Batch } from '../batch.ts'
import type { Counted } from '../counters.ts'
import type { Routes, Web } from '../routes.ts'
import type { Settled } from '../settled.ts'
import type { Accounts, Settlement } from './account.ts'
import type { Context, Descriptor, Live, Wants } from './descriptor.ts'
import { Evictions } from './evictions.ts'
import type { HistorySource } from './history.ts'
import { type OpenSink, openSinks, routesOf, type SinkOptions } from './open.ts'
import { SinkQueue } from './queue.ts'
import { LeftSpools, type SpoolPlace, type SpoolSettings, spoolOf } from './spools.ts'

/** Time for the last writes when the collector stops. */
const FLUSH_MS = 5000
/** A search for the lines that a slow InfluxDB refuses takes up to 200 requests; longer than this one takes only what hangs. */
const STUCK_MS = 30 * 60_000

/** Another database is another account. */
const nameOf = ({
  sink,
  target,
}: Pick<OpenSink, 'sink'> & { readonly target?: string | undefined }): string =>
  [sink.name, target].filter(Boolean).join(' ')

/** What another one of its kind takes is settled for this one. */
const pushTo =
  ({ queue, isFor }: OpenSink & { readonly queue: SinkQueue }) =>
  (batch: Batch, done: Settled): void =>
    isFor?.(batch.id.host) === false ? done() : queue.push(batch, done)

type Options = SinkOptions & SpoolSettings & { readonly waitingSamples: number }

export class Sinks implements Counted {
  readonly routes: Routes
  readonly #evictions = new Evictions()
  readonly #open: readonly (OpenSink & { readonly queue: SinkQueue })[]
  readonly #left: LeftSpools

  /** @param spools of the sinks, in their order */
  constructor(
    open: readonly OpenSink[],
    maxSamples: number,
    log: Context['log'],
    spools: readonly SpoolPlace[] = [],
    left = new LeftSpools(),
    before: Readonly<Record<string, Settlement>> = {},
  ) {
    const queueOf = (one: OpenSink, at: number) => {
      const evicted = this.#evictions.of(one.sink.name)
      return new SinkQueue(one.sink, {
        maxSamples,
        spool: spools[at],
        before: before[nameOf(one)],
        evicted,
        log,
      })
    }
    this.#open = open.map((one, at) => ({ ...one, queue: queueOf(one, at) }))
    this.#left = left
    this.routes = routesOf(open)
  }

  /** @throws with the remedy */
  static async open(
    options: Options,
    context: Context,
    before: Readonly<Record<string, Settlement>> = {},
    isMeant?: (sink: Descriptor) => boolean,
  ): Promise<Sinks> {
    const { log } = context
    const open = await openSinks(options, context, isMeant)
    const spools = open.map(({ sink, target }) => spoolOf(options, sink.name, target))
    const left = await LeftSpools.open(
      options,
      spools.map(spool => spool?.directory),
      log,
    )
    const sinks = new Sinks(open, options.waitingSamples, log, spools, left, before)
    await Promise.all(sinks.#open.map(({ queue }) => queue.open()))
    return sinks
  }

  get names(): string[] {
    return this.#open.map(({ sink }) => sink.name)
  }

  /** Where batches go, and what they must contain. */
  get outlets(): { wants: Wants; push(batch: Batch, done: Settled): void }[] {
    return this.#open.map(one => ({ wants: one.wants, push: pushTo(one) }))
  }

  /** Where records of conversations go. */
  get flowOutlets(): { needsFlows: boolean; push(batch: Batch, done: Settled): void }[] {
    return this.#open.flatMap(one => {
      const { flows } = one.wants
      return flows === undefined ? [] : [{ needsFlows: flows === 'always', push: pushTo(one) }]
    })
  }

  /** What was lost of a host since this was asked last. */
  lostOf(host: string): Losses {
    return this.#evictions.take(host)
  }

  get webs(): Web[] {
    return this.#open.flatMap(({ web }) => web ?? [])
  }

  /** The first kind that can tell what it has stored: all of that kind, which have a part of the hosts each. */
  get history(): HistorySource | undefined {
    const first = this.#open.find(({ history }) => history)?.sink.name
    const all = this.#open.flatMap(({ sink, history }) => (sink.name === first && history ? [history] : []))
    if (all.length === 0) return undefined
    return async (question, gone) => (await Promise.all(all.map(ask => ask(question, gone)))).flat()
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

  /** What comes had better wait elsewhere. */
  get isHalfFull(): boolean {
    return this.#open.some(({ queue }) => queue.counters.waiting > queue.maxSamples / 2)
  }

  /** By sink and what it writes to. */
  accounts(): Record<string, Accounts> {
    return Object.fromEntries(this.#open.map(one => [nameOf(one), one.queue.accounts]))
  }

  /** Drops what waits on disk for too long. */
  expire(): void {
    for (const { queue } of this.#open) queue.expire()
    this.#left.expire()
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
      spool_bytes: sum(({ spool }) => spool?.bytes ?? 0),
      spool_samples: sum(({ spool }) => spool?.samples ?? 0),
      spool_age_us: Math.max(0, ...this.#open.map(({ queue }) => queue.spool?.oldest_seconds ?? 0)) * 1e6,
    }
  }

  losses(): Record<string, number> {
    const lost: Record<string, number> = { ...this.#left.lost }
    for (const { sink, queue } of this.#open) {
      lost[`${sink.name}/dropped`] = 0
      for (const [reason, { samples }] of Object.entries(queue.account.lost)) {
        const key = `${sink.name}/${reason}`
        lost[key] = (lost[key] ?? 0) + samples
      }
      for (const [reason, count] of Object.entries(queue.counters.refused))
        lost[`${sink.name}/${reason}`] = (lost[`${sink.name}/${reason}`] ?? 0) + count
    }
    return lost
  }

  view() {
    const names = this.#open.map(({ sink }) => sink.name)
    const isOne = (name: string) => names.indexOf(name) === names.lastIndexOf(name)
    const counted = this.#open.map(({ sink, target, queue, counters }) => [
      isOne(sink.name) ? sink.name : nameOf({ sink, target }),
      { ...queue.counters, ...(queue.spool && { spool: queue.spool }), ...counters?.() },
    ])
    return { sinks: Object.fromEntries(counted), ...this.#evictions.view() }
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ queue }) => queue.close({ deadlineMs: FLUSH_MS })))
    await this.#left.close()
  }
}
