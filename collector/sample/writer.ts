/** The way of the windows to the sinks of one profile: sampled, held until names have come, queued. */

import type { WindowKey } from '../../wire/message.ts'
import type { Batch } from '../batch.ts'
import type { OwnTotals } from '../counters.ts'
import type { Folded } from '../ingest/folded.ts'
import { Hold } from './hold.ts'
import { OwnWindows } from './own.ts'
import { Sampler, type SamplerOptions } from './sampler.ts'

/** What waits for a name longer than two of the longest windows waits for a probe that is gone. */
const HELD_MS = 2 * 3_600_000

/** Where batches go: the queue of a sink. */
export interface Outlet {
  readonly wants: { readonly samples: 'profile' | 'all'; readonly distributions: boolean }
  /** @param done called once, when the sink has settled it */
  push(batch: Batch, done: () => void): void
}

export class Writer {
  readonly sampler: Sampler
  readonly #outlets: readonly Outlet[]
  readonly #hold: Hold
  readonly #own: OwnWindows

  /** @param totals what the collector tells of itself */
  constructor(options: SamplerOptions, outlets: readonly Outlet[], totals: () => OwnTotals) {
    this.sampler = new Sampler(options)
    this.#outlets = outlets
    this.#hold = new Hold(this.sampler, (batch, settled) => this.#push(batch, settled))
    this.#own = new OwnWindows(this.sampler, totals)
  }

  /** @param settled called when every sink has settled the window, or it is not to be written */
  write(window: Folded, ifid: string, settled: () => void): void {
    this.#hold.write(window, ifid, settled)
  }

  /**
   * The windows before this one are settled.
   * @param elsewhere by another collector: its counters began at 0, and so do ours
   */
  settled(key: WindowKey, elsewhere: boolean): void {
    this.#hold.forget(key)
    if (elsewhere) this.sampler.restart(key.host)
  }

  /** Windows of which a part waits for names. */
  get waiting(): number {
    return this.#hold.size
  }

  /** @param seconds since the epoch */
  tellOwn(seconds: number): void {
    const batch = this.#own.next(seconds)
    if (batch) this.#push(batch, () => {})
  }

  /** Forget who has been silent. */
  expire(): void {
    this.#hold.flush(HELD_MS)
    this.sampler.expire()
  }

  #push(batch: Batch, settled: () => void): void {
    const settledOne = afterAll(this.#outlets.length, settled)
    for (const outlet of this.#outlets) outlet.push(batch, settledOne)
  }
}

/** A sink that wants everything gets it, in whatever profile the databases are written. */
export function writersOf(
  options: SamplerOptions,
  outlets: readonly Outlet[],
  totals: () => OwnTotals,
): Writer[] {
  const profiles = Map.groupBy(outlets, ({ wants }) =>
    wants.samples === 'all' ? 'sockflux' : options.profile,
  )
  return [...profiles].map(([profile, outlets]) => {
    const distributions = outlets.some(({ wants }) => wants.distributions)
    return new Writer({ ...options, profile, distributions }, outlets, totals)
  })
}

/** Call what comes back so many times: `done` is called the last time. */
export function afterAll(times: number, done: () => void): () => void {
  let left = times
  return () => {
    if (--left === 0) done()
  }
}
