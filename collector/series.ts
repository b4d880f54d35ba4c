/**
 * The series that the collector writes: their tags, which never change, and what their counters have come to. Bounded
 * for each measurement; a series that has been silent for long is forgotten and leaves its place.
 */

import type { Distribution } from './distribution.ts'
import type { Tags } from './sample.ts'

export interface Series {
  readonly tags: Tags
  /** Of its counters, by the field's position, in units of the record. */
  readonly totals: number[]
  /** Of all its values; undefined when no sink wants it, or there is none. */
  distribution?: Distribution
}

/** Of a subject or of one of its roles. */
export type Role = '' | 'client' | 'server'

/** `host`: there is one for each probe, and it always finds a place; `other`: it stands for all that found none. */
export type Kind = 'one' | 'host' | 'other'

/** Whoever has series: a container, a pod, an interface. */
export class Subject {
  readonly key: string
  readonly tags: Tags
  readonly kind: Kind
  /** Whose probe tells of it; undefined when the collector does. */
  readonly host: string | undefined
  /** By place: a measurement has one for each subject, or one for each of its roles. */
  readonly series: (Series | undefined)[] = []
  /** Milliseconds; when it is forgotten. */
  until = 0
  readonly #roles: { client?: Tags; server?: Tags } = {}

  constructor(key: string, tags: Tags, kind: Kind, host: string | undefined) {
    this.key = key
    this.tags = tags
    this.kind = kind
    this.host = host
  }

  /** The same object for all measurements. */
  tagsOf(role: Role): Tags {
    if (role === '') return this.tags
    this.#roles[role] ??= { ...this.tags, role }
    return this.#roles[role]
  }
}

/** A subject that has been silent for so long is forgotten; with long windows, after three of them. */
const SILENT_MS = 5 * 60_000
const SILENT_WINDOWS = 3

const placeOf = (measurement: number, role: Role): number => measurement * 2 + (role === 'server' ? 1 : 0)

export class SeriesTable {
  readonly #subjects = new Map<string, Subject>()
  /** Series by measurement. */
  readonly #counts: number[]
  readonly #most: number
  readonly #now: () => number

  /**
   * @param measurements how many there are
   * @param most series of one of them
   * @param now milliseconds that only rise
   */
  constructor(measurements: number, most: number, now: () => number) {
    this.#counts = new Array<number>(measurements).fill(0)
    this.#most = most
    this.#now = now
  }

  /** @param interval of the window, seconds */
  subject(key: string, interval: number, tags: () => Tags, kind: Kind = 'one', host?: string): Subject {
    const subject = this.#subjects.get(key) ?? new Subject(key, tags(), kind, host)
    subject.until = this.#now() + Math.max(SILENT_MS, SILENT_WINDOWS * interval * 1000)
    return subject
  }

  /** Undefined when the measurement has as many series as it may have; one more for each host stands for the rest. */
  series(subject: Subject, measurement: number, role: Role): Series | undefined {
    const place = placeOf(measurement, role)
    let series = subject.series[place]
    if (series) return series
    if (subject.kind === 'one' && this.#counts[measurement]! >= this.#most) return undefined
    series = { tags: subject.tagsOf(role), totals: [] }
    subject.series[place] = series
    this.#subjects.set(subject.key, subject)
    this.#counts[measurement]!++
    return series
  }

  /** Undefined when it has none yet. */
  find(subject: Subject, measurement: number, role: Role): Series | undefined {
    return subject.series[placeOf(measurement, role)]
  }

  /** What this host's probe counts begins again at 0. */
  restart(host: string): void {
    for (const { host: teller, series } of this.#subjects.values()) {
      if (teller !== host) continue
      for (const each of series) {
        if (!each) continue
        each.totals.length = 0
        delete each.distribution
      }
    }
  }

  /** Forget who has been silent. */
  expire(): void {
    const now = this.#now()
    for (const [key, { until, series }] of this.#subjects) {
      if (until > now) continue
      this.#subjects.delete(key)
      for (const place of series.keys()) if (series[place]) this.#counts[place >> 1]!--
    }
  }

  /** Series in use, by measurement. */
  counts(): readonly number[] {
    return this.#counts
  }
}
