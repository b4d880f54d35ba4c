/** All writers: one for the profile, and one more where a sink wants everything in a profile that does not have it. */

import type { Logger } from 'pino'
import type { Losses, WindowKey } from '../../wire/message.ts'
import { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Counted, SelfTotals } from '../counters.ts'
import type { Folded } from '../ingest/folded.ts'
import type { HostMemory } from '../ingest/link/transport.ts'
import { afterAll, type Settled } from '../settled.ts'
import type { SamplerOptions, SeriesLimits } from './sampler.ts'
import { type Outlet, type Writer, writersOf } from './writer.ts'

export interface Destinations {
  readonly outlets: readonly Outlet[]
  /** What was lost of a host since this was asked last. */
  lostOf(host: string): Losses
}

/** Samples that have no series of their own. */
type SeriesLosses = Record<'merged_pods' | 'shared_pods' | 'beyond_max_series', number>

export class Writers implements Counted, HostMemory {
  /** A writer has measurements of processes. */
  readonly withProcesses: boolean
  readonly #writers: readonly Writer[]
  #options: SamplerOptions
  readonly #log: ThrottledLog
  readonly #sinks: Destinations

  /**
   * @param totals what the collector counts of itself
   * @param sinks where batches go, and what was lost there
   */
  constructor(options: SamplerOptions, sinks: Destinations, totals: () => SelfTotals, log: Logger) {
    this.#sinks = sinks
    this.#writers = writersOf(options, sinks.outlets, totals)
    this.withProcesses = this.#writers.some(({ sampler }) => sampler.withProcesses)
    this.#options = options
    this.#log = new ThrottledLog(log)
  }

  /**
   * @param settled called when every sink has settled the window, or it is not to be written
   * @param border called when what is before the window has been sampled, and nothing of it
   */
  write(given: Folded, ifid: string, settled: Settled, border = () => {}): void {
    const window = { ...given, lost: { ...given.lost, ...this.#sinks.lostOf(given.key.host) } }
    if (!window.complete && !window.partial)
      this.#log.warn(
        'incomplete',
        `${window.key.host}: the window until ${window.time} is incomplete (its end or rows of it did not come, or were refused); it is written as it is`,
      )
    const before = this.#losses()
    const settledOne = afterAll(this.#writers.length, settled)
    for (const writer of this.#writers) writer.finish(window)
    border()
    for (const writer of this.#writers) writer.write(window, ifid, settledOne)
    this.#warn(before, this.#losses())
  }

  /**
   * The windows before this one are settled.
   * @param elsewhere by another collector: its counters began at 0, and so do ours
   */
  settled(key: WindowKey, elsewhere: boolean): void {
    for (const writer of this.#writers) writer.settled(key, elsewhere)
  }

  /** What its series have come to: by profile, as each has writers of its own. */
  save(host: string): unknown {
    const saved = this.#writers.map(({ profile, sampler }) => [profile, sampler.save(host)] as const)
    const known = saved.filter(([, series]) => series.length > 0)
    return known.length > 0 ? Object.fromEntries(known) : undefined
  }

  load(host: string, saved: unknown): void {
    for (const { profile, sampler } of this.#writers)
      sampler.load(host, (saved as Record<string, unknown> | undefined)?.[profile])
  }

  forget(host: string): void {
    for (const writer of this.#writers) writer.forget(host)
  }

  /** @param seconds since the epoch */
  writeSelf(seconds: number): void {
    for (const writer of this.#writers) writer.writeSelf(seconds)
  }

  limit(limits: SeriesLimits): void {
    this.#options = { ...this.#options, ...limits }
    for (const { sampler } of this.#writers) sampler.limit(limits)
  }

  /** Forgets series that have been silent. */
  expire(): void {
    for (const writer of this.#writers) writer.expire()
  }

  /** Series in use, by measurement; of the profile. */
  series() {
    return this.#writers[0]!.sampler.series()
  }

  stats() {
    const all = this.#writers.flatMap(({ sampler }) => sampler.series())
    return { series: all.reduce((sum, { series }) => sum + series, 0) }
  }

  losses() {
    const { shared_pods, beyond_max_series } = this.#losses()
    return { 'series/shared_pods': shared_pods, 'series/beyond_max_series': beyond_max_series }
  }

  view() {
    return { waiting_for_names: this.#writers[0]!.waiting, ...this.#losses() }
  }

  #losses(): SeriesLosses {
    const sum = (of: (sampler: Writer['sampler']) => number) =>
      this.#writers.reduce((total, { sampler }) => total + of(sampler), 0)
    return {
      merged_pods: sum(({ mergedPods }) => mergedPods),
      shared_pods: sum(({ podHosts }) => podHosts.shared),
      beyond_max_series: sum(({ beyond }) => beyond),
    }
  }

  #warn(before: SeriesLosses, after: SeriesLosses): void {
    const { profile, maxSeries } = this.#options
    const rose = (name: keyof SeriesLosses) => after[name] > before[name]
    if (rose('merged_pods'))
      this.#log.warn('merged_pods', 'pods of one name in several namespaces are one in profile ntopng')
    if (rose('shared_pods'))
      this.#log.warn(
        'shared_pods',
        'pods of one name on several hosts are written over each other in profile ntopng: give each host a --listen of its own, with its ,ifid=',
      )
    if (rose('beyond_max_series'))
      this.#log.warn(
        'max_series',
        `a measurement has more than ${maxSeries} series: the rest is ${profile === 'ntopng' ? 'not written' : 'in ~other'}; raise --max-series`,
      )
  }
}
