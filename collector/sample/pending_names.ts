/**
 * To the sinks, window by window. A container whose name is on its way waits for it until the next window of its probe:
 * tags never change, so a first sample without name would stay a series of its own.
 */

import type { WindowKey } from '../../wire/message.ts'
import type { Batch } from '../batch.ts'
import type { Folded } from '../ingest/folded.ts'
import { afterAll, type Settled } from '../settled.ts'
import type { Sampler } from './sampler.ts'
import { isOf } from './series.ts'

interface Pending {
  readonly window: Folded
  readonly ifid: string
  readonly sinceMs: number
  readonly settled: Settled
}

export class PendingNames {
  readonly #sampler: Sampler
  readonly #push: (batch: Batch, settled: Settled) => void
  readonly #now: () => number
  /** By probe: at most one window each. */
  readonly #pending = new Map<string, Pending>()

  /**
   * @param push hands a batch to the sinks, and calls back when all have settled it
   * @param now milliseconds that only rise
   */
  constructor(
    sampler: Sampler,
    push: (batch: Batch, settled: Settled) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#sampler = sampler
    this.#push = push
    this.#now = now
  }

  get size(): number {
    return this.#pending.size
  }

  /** What waits of the window before this one has its names now. */
  finish(window: Folded): void {
    this.#release(probeOf(window.key), window)
  }

  /** @param settled called when all of the window is settled, what waits included */
  write(window: Folded, ifid: string, settled: Settled): void {
    const probe = probeOf(window.key)
    this.#release(probe, window)
    if (window.fold.waiting().containers.size === 0) {
      this.#hand(window, this.#sampler.sample(window, ifid), settled)
      return
    }
    const settledPart = afterAll(2, settled)
    this.#hand(window, this.#sampler.sample(window, ifid), settledPart)
    this.#pending.set(probe, { window, ifid, sinceMs: this.#now(), settled: settledPart })
  }

  /** What waits of the windows before this one was written by another collector. */
  forget(key: WindowKey): void {
    const { window } = key
    const id = probeOf(key)
    const pending = this.#pending.get(id)
    if (!pending || pending.window.key.window >= window) return
    this.#pending.delete(id)
    pending.settled()
  }

  /** Another collector writes what waits of this host. */
  forgetHost(host: string): void {
    for (const [id, { window }] of this.#pending) if (isOf(host, window.key.host)) this.#pending.delete(id)
  }

  /** Write what has waited for so long: the probe may be gone. */
  flush(olderThanMs: number): void {
    const old = this.#now() - olderThanMs
    for (const [probe, { window, sinceMs }] of this.#pending) if (sinceMs <= old) this.#release(probe, window)
  }

  #release(probe: string, later: Folded): void {
    const pending = this.#pending.get(probe)
    if (!pending) return
    this.#pending.delete(probe)
    const batch = this.#sampler.sampleLate(pending.window, pending.ifid, later.fold)
    if (batch.samples.length > 0) this.#hand(pending.window, batch, pending.settled)
    else pending.settled() // it was a sandbox after all
  }

  /** The first window of a probe's run is not written, but what its counters rose by is in those of the next. */
  #hand({ partial }: Folded, batch: Batch, settled: Settled): void {
    if (partial) settled()
    else this.#push(batch, settled)
  }
}

const probeOf = ({ boot, probe }: WindowKey): string => `${boot} ${probe}`
