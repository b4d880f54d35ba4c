/** The way of the windows to the sinks of one profile: sampled, pending until names have come, queued. */

import type { WindowKey } from '../../wire/message.ts'
import type { Batch } from '../batch.ts'
import type { SelfTotals } from '../counters.ts'
import type { Folded } from '../ingest/folded.ts'
import { afterAll, type Settled } from '../settled.ts'
import { PendingNames } from './pending_names.ts'
import { Sampler, type SamplerOptions } from './sampler.ts'
import { SelfMetrics } from './self_metrics.ts'

/** What waits for a name longer than two of the longest windows waits for a probe that is gone. */
const PENDING_MS = 2 * 3_600_000

/** Where batches go: the queue of a sink. */
export interface Outlet {
  readonly wants: { readonly samples: 'profile' | 'all' | 'none'; readonly distributions: boolean }
  /** @param done called once, when the sink has settled it */
  push(batch: Batch, done: Settled): void
}

export class Writer {
  readonly profile: SamplerOptions['profile']
  readonly sampler: Sampler
  readonly #outlets: readonly Outlet[]
  readonly #pending: PendingNames
  readonly #self: SelfMetrics

  /** @param totals what the collector counts of itself */
  constructor(options: SamplerOptions, outlets: readonly Outlet[], totals: () => SelfTotals) {
    this.profile = options.profile
    this.sampler = new Sampler(options)
    this.#outlets = outlets
    this.#pending = new PendingNames(this.sampler, (batch, settled) => this.#push(batch, settled))
    this.#self = new SelfMetrics(this.sampler, totals)
  }

  /** What is before this window of its probe. */
  finish(window: Folded): void {
    this.#pending.finish(window)
  }

  /** Another collector goes on with this host. */
  forget(host: string): void {
    this.#pending.forgetHost(host)
    this.sampler.forget(host)
  }

  /** @param settled called when every sink has settled the window, or it is not to be written */
  write(window: Folded, ifid: string, settled: Settled): void {
    for (const batch of this.sampler.sampleMissing(window, ifid)) this.#push(batch, () => {})
    this.#pending.write(window, ifid, settled)
  }

  /**
   * The windows before this one are settled.
   * @param elsewhere by another collector: its counters began at 0, and so do ours
   */
  settled(key: WindowKey, elsewhere: boolean): void {
    this.#pending.forget(key)
    if (elsewhere) this.sampler.restart(key.host)
  }

  /** Windows with a part that is pending. */
  get waiting(): number {
    return this.#pending.size
  }

  /** @param seconds since the epoch */
  writeSelf(seconds: number): void {
    const batch = this.#self.next(seconds)
    if (batch) this.#push(batch, () => {})
  }

  /** Forgets series that have been silent. */
  expire(): void {
    this.#pending.flush(PENDING_MS)
    this.sampler.expire()
  }

  #push(batch: Batch, settled: Settled): void {
    const settledOne = afterAll(this.#outlets.length, settled)
    for (const outlet of this.#outlets) outlet.push(batch, settledOne)
  }
}

/** A sink that wants everything gets it, in whatever profile the databases are written. */
export function writersOf(
  options: SamplerOptions,
  outlets: readonly Outlet[],
  totals: () => SelfTotals,
): Writer[] {
  const wanting = outlets.filter(({ wants }) => wants.samples !== 'none')
  const profiles = Map.groupBy(wanting, ({ wants }) =>
    wants.samples === 'all' ? 'sockflux' : options.profile,
  )
  return [...profiles].map(([profile, outlets]) => {
    const distributions = outlets.some(({ wants }) => wants.distributions)
    return new Writer({ ...options, profile, distributions }, outlets, totals)
  })
}
