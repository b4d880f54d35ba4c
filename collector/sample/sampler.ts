/** From a window's totals to samples: the metric tables applied, with the tags of each subject. */

import { Group } from '../../wire/count/flow_sums.ts'
import type { Batch } from '../batch.ts'
import { type ClusterFacts, NO_FACTS } from '../cluster/facts.ts'
import { type Fold, PodGroup } from '../fold/fold.ts'
import type { Folded } from '../ingest/folded.ts'
import { metricsOf, type Profile } from '../metrics/catalogue.ts'
import {
  type FlatMetric,
  type FlowLevel,
  type FlowMetric,
  isByRole,
  isFlat,
  isFlow,
  type MetricGroup,
  type Numbers,
  type OwnedMetric,
  type Role,
  type Row,
} from '../metrics/metric.ts'
import { type Active, activeOf, batchOf, nothing, otherTags, unheard, type Written } from './active.ts'
import { ClusterNames } from './cluster/names.ts'
import { Distribution } from './distribution.ts'
import { type FlatRows, nothingCame, rowsOf } from './flat_rows.ts'
import { PodHosts } from './pod_hosts.ts'
import { type SavedSubject, type Series, SeriesTable, type Subject } from './series.ts'
import { type Counted, OTHER, Subjects, type Wanted } from './subjects.ts'

export interface SamplerOptions {
  readonly profile: Profile
  readonly metrics: readonly MetricGroup[]
  /** Of one measurement. */
  readonly maxSeries: number
  /** Of one host that have series of their own. */
  readonly maxProcesses: number
  /** Whether a sink wants all values of the rows that have them. */
  readonly distributions?: boolean
  /** Of the cluster that the hosts are in. */
  readonly facts?: ClusterFacts
  /** Keys of labels of pods that are tags, from these facts. */
  readonly clusterLabel?: readonly string[]
}

/** What can change while it runs. */
export type SeriesLimits = Partial<Pick<SamplerOptions, 'maxSeries' | 'maxProcesses'>>

export class Sampler {
  /** Pods of one name in two namespaces that `profile: ntopng` had to merge. */
  mergedPods = 0
  /** Samples that found no place among the series, and are in `~other` where there is one. */
  beyond = 0
  /** Pods of one name on two hosts, of which `profile: ntopng` keeps one. */
  readonly podHosts: PodHosts
  #options: SamplerOptions
  readonly #active: readonly Active[]
  readonly #table: SeriesTable
  readonly #cluster: ClusterNames
  /** Of the sample that is being made. */
  readonly #values: (number | undefined)[] = []

  /**
   * @param now milliseconds that only rise
   * @param metrics those of the catalogue that the options name
   */
  constructor(
    options: SamplerOptions,
    now: () => number = () => performance.now(),
    metrics = metricsOf(options.profile, options.metrics),
  ) {
    this.#options = options
    this.#cluster = new ClusterNames(options.facts ?? NO_FACTS, options.clusterLabel ?? [])
    this.#active = activeOf(metrics)
    this.#table = new SeriesTable(this.#active.length, options.maxSeries, now)
    this.podHosts = new PodHosts(options.maxSeries)
  }

  /**
   * Everything that has its name; the rest is for sampleLate.
   * @param ifid of the endpoint that the window came in by
   */
  sample(window: Folded, ifid: string): Batch {
    const { containers, namedPods } = window.fold.waiting()
    return this.#sample(window, ifid, {
      container: id => !containers.has(id),
      pod: uid => namedPods.has(uid),
      rest: true,
    })
  }

  /** What sample left out, by the names that have come since; its time is that of its own window. */
  sampleLate(window: Folded, ifid: string, later: Fold): Batch {
    const { containers, namedPods } = window.fold.waiting()
    window.fold.rename(later)
    const wanted = {
      container: (id: string) => containers.has(id),
      pod: (uid: string) => !namedPods.has(uid),
      rest: false,
    }
    const batch = this.#sample(window, ifid, wanted)
    return { ...batch, id: { ...batch.id, part: 'late' } }
  }

  /** The windows before this one that never came: that they did not. */
  *sampleMissing(window: Folded, ifid: string): Generator<Batch> {
    for (const { window: index, time } of window.missing ?? []) {
      const key = { ...window.key, window: index }
      const batch = this.#sampleRows({ ...window, key, time }, ifid, nothingCame)
      if (batch.samples.length > 0) yield { ...batch, id: { ...key, part: 'missing' } }
    }
  }

  /** The collector's metrics of itself, in a window of its own. */
  sampleSelf(window: Folded, rows: FlatRows): Batch {
    return this.#sampleRows(window, undefined, rows)
  }

  #sampleRows(window: Folded, ifid: string | undefined, rows: FlatRows): Batch {
    const subjects = this.#subjects(window, ifid)
    return batchOf(
      window,
      this.#active.map(active =>
        isFlat(active.metric) ? this.#flat(active, active.metric, rows, subjects) : nothing(active),
      ),
    )
  }

  /** Whether it has measurements of processes. */
  get withProcesses(): boolean {
    return this.#active.some(({ metric }) => 'level' in metric && metric.level === 'process')
  }

  limit(limits: SeriesLimits): void {
    this.#options = { ...this.#options, ...limits }
    this.#table.most = this.#options.maxSeries
  }

  expire(): void {
    this.#table.expire()
  }

  /** What this host's probe counts begins again at 0. */
  restart(host: string): void {
    this.#table.restart(host)
  }

  /** The series of this host. */
  save(host: string): SavedSubject[] {
    return this.#table.save(host, index => this.#active[index]!.samples.measurement.name)
  }

  /** @param saved what `save` gave */
  load(host: string, saved: unknown): void {
    this.#table.load(host, saved, name =>
      this.#active.find(({ samples }) => samples.measurement.name === name),
    )
  }

  forget(host: string): void {
    this.#table.forget(host)
  }

  /** Series in use, by measurement. */
  series(): { measurement: string; series: number }[] {
    const counts = this.#table.counts()
    return this.#active.map(({ samples, index }) => ({
      measurement: samples.measurement.name,
      series: counts[index]!,
    }))
  }

  #sample(window: Folded, ifid: string, wanted: Wanted): Batch {
    const subjects = this.#subjects(window, ifid)
    const counted = new Map<FlowLevel, readonly Counted[]>()
    const rows: FlatRows = wanted.rest ? rowsOf(window) : {}
    const written = this.#active.map(active => {
      const { metric } = active
      if (isFlat(metric)) return this.#flat(active, metric, rows, subjects)
      const level = counted.get(metric.level) ?? subjects.of(metric.level, wanted, this.#options.maxProcesses)
      counted.set(metric.level, level)
      if (isFlow(metric)) return this.#flows(active, metric, level, subjects, wanted)
      return this.#owned(active, metric, level, subjects, wanted, window.fold)
    })
    this.mergedPods += subjects.mergedPods
    return batchOf(window, written)
  }

  #subjects(window: Folded, ifid: string | undefined): Subjects {
    const { profile } = this.#options
    return new Subjects(window, ifid, profile, this.#table, this.podHosts, this.#cluster)
  }

  #flows(
    active: Active,
    metric: FlowMetric,
    level: readonly Counted[],
    subjects: Subjects,
    wanted: Wanted,
  ): Written {
    const written = nothing(active)
    const rest = new Group()
    let isRest = false
    for (const { group, subject } of level) {
      if (metric.knows?.(group) === false) continue
      if (subject.kind !== 'other' && this.#flow(active, metric, group, subject, written, rest)) continue
      isRest = true
      if (subject.kind === 'other') rest.add(group)
      else this.beyond++
    }
    if (!isRest || this.#options.profile === 'ntopng') return written
    const other = subjects.other(metric.level, { [metric.level]: OTHER })
    // the late part of a window would write over what the first has written of the rest: only its counters rise
    this.#flow(active, metric, rest, other, wanted.rest ? written : unheard(active), new Group())
    return written
  }

  /** @returns false where a series found no place: what it would have written is added to `rest` */
  #flow(
    active: Active,
    metric: FlowMetric,
    group: Group,
    subject: Subject,
    written: Written,
    rest: Group,
  ): boolean {
    if (!isByRole(metric)) {
      if (this.#write(active, metric, group, subject, '', written)) return true
      rest.add(group)
      return false
    }
    let found = true
    for (const role of ROLES) {
      if (this.#write(active, metric, group[role], subject, role, written)) continue
      rest[role].add(group[role])
      found = false
    }
    return found
  }

  #flat(active: Active, metric: FlatMetric, rows: FlatRows, subjects: Subjects): Written {
    const written = nothing(active)
    const found = (rows[metric.source] ?? []).map(({ tags, numbers }) => {
      return [subjects.flat(metric.name, tags, metric.sparse), numbers] as const
    })
    this.#rows(active, metric, found, subjects, written, written)
    return written
  }

  #owned(
    active: Active,
    metric: OwnedMetric,
    level: readonly Counted[],
    subjects: Subjects,
    wanted: Wanted,
    fold: Fold,
  ): Written {
    const written = nothing(active)
    const found = level.flatMap(({ group, subject }) => {
      const owners = group instanceof PodGroup ? group.members : [group]
      return Array.from(fold.owned.of(metric.source, owners), ({ values, numbers }) => {
        return [subjects.owned(metric, subject, values), numbers] as const
      })
    })
    this.#rows(active, metric, found, subjects, written, wanted.rest ? written : unheard(active))
    return written
  }

  /** Rows that have a series each. @param restWritten where the rest is written */
  #rows(
    active: Active,
    metric: FlatMetric | OwnedMetric,
    rows: readonly (readonly [Subject, Numbers])[],
    subjects: Subjects,
    written: Written,
    restWritten: Written,
  ): void {
    const rest: Record<string, number> = {}
    let beyond = 0
    for (const [subject, numbers] of rows) {
      if (this.#write(active, metric, numbers, subject, '', written)) continue
      beyond++
      for (const [name, value] of Object.entries(numbers)) rest[name] = (rest[name] ?? 0) + value
    }
    this.beyond += beyond
    if (beyond === 0) return
    this.#write(active, metric, rest, subjects.other(metric.name, otherTags(metric)), '', restWritten)
  }

  /** @returns false when there is no place for one more series */
  #write<S>(
    active: Active,
    { fields, distribution }: Row<S>,
    source: S,
    subject: Subject,
    role: Role,
    written: Written,
  ): boolean {
    const values = this.#values
    const known = this.#table.find(subject, active, role)
    // a role that was never played has no series; what was not measured has no sample
    const isNew = role !== '' && !known
    let isSilent = true
    for (let at = 0; at < fields.length; at++) {
      const value = fields[at]!.of(source)
      values[at] = value
      if (isNew ? value : value !== undefined) isSilent = false
    }
    if (isSilent) {
      distribute(known, written)
      return true
    }
    const series = known ?? this.#table.series(subject, active, role)
    if (!series) return false
    for (let at = 0; at < fields.length; at++) {
      let value = values[at]
      if (value === undefined) continue
      if (fields[at]!.type === 'counter') {
        series.totals ??= new Array<number>(fields.length).fill(0)
        value += series.totals[at]!
        series.totals[at] = value
      }
      values[at] = value / active.divisors[at]!
    }
    written.samples.add({ tags: series.tags, values })
    const all = this.#options.distributions ? distribution?.(source) : undefined
    if (all) {
      series.distribution ??= new Distribution()
      series.distribution.add(all)
    }
    distribute(series, written)
    return true
  }
}

const ROLES = ['client', 'server'] as const

function distribute(series: Series | undefined, { samples, distributions }: Written): void {
  if (!series?.distribution) return
  const { measurement } = samples
  distributions.push({ measurement, tags: series.tags, distribution: series.distribution.copy() })
}
