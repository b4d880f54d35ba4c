/**
 * The series that the collector writes: their tags, which are those of one name, and what their counters have come to. Bounded
 * for each measurement; a series that has been silent for long is forgotten and leaves its place.
 */

import type { Tags } from '../batch.ts'
import type { Role } from '../metrics/metric.ts'
import type { Distribution } from './distribution.ts'

export interface Series {
  readonly tags: Tags
  /** Of which measurement, by its index. */
  readonly measurement: number
  /** Of its counters, by the field's position, in units of the record; undefined where it has none yet. */
  totals: number[] | undefined
  /** Of all its values; undefined when no sink wants it, or there is none. */
  distribution: Distribution | undefined
}

/** `host`: there is one for each probe, and it always finds a place; `other`: it stands for all that found none. */
export type Kind = 'one' | 'host' | 'other'

/** Where a measurement has its series. */
export interface Place {
  /** Which one it is of all. */
  readonly index: number
  /** Which one it is of those that its subjects have. */
  readonly place: number
}

/** Subjects of one kind of one host, by their key. */
export interface Family {
  /** The host of the probe; undefined for the collector itself. */
  readonly host: string | undefined
  readonly subjects: Map<string, Subject>
}

/** What has series: a container, a pod, an interface. */
export class Subject {
  readonly key: string
  readonly family: Family
  readonly tags: Tags
  readonly kind: Kind
  /** By place: a measurement has one for each subject, or one for each of its roles. */
  readonly series: (Series | undefined)[] = []
  /** Milliseconds; when it is forgotten. */
  until = 0
  readonly #roles: { client?: Tags; server?: Tags } = {}

  constructor(key: string, family: Family, tags: Tags, kind: Kind) {
    this.key = key
    this.family = family
    this.tags = tags
    this.kind = kind
  }

  /** The same object for all measurements. */
  tagsOf(role: Role): Tags {
    if (role === '') return this.tags
    this.#roles[role] ??= { ...this.tags, role }
    return this.#roles[role]
  }
}

/** Measurement, role, and what its counters have come to. */
type SavedSeries = readonly [string, Role, readonly number[] | null]

/** A subject as another collector needs it to go on. */
export interface SavedSubject {
  readonly family: string
  readonly host: string
  readonly key: string
  readonly tags: Tags
  readonly kind: Kind
  readonly series: readonly SavedSeries[]
}

/** Whether it is this host, or one of its name that is kept apart: `web1~3f2a`. */
export const isOf = (host: string, name: string): boolean => name === host || name.startsWith(`${host}~`)

const baseOf = (host: string): string => host.split('~', 1)[0]!

/** A subject that has been silent for so long is forgotten; with long windows, after three of them. */
const SILENT_MS = 5 * 60_000
const SILENT_WINDOWS = 3

const placeOf = ({ place }: Place, role: Role): number => place * 2 + (role === 'server' ? 1 : 0)

export class SeriesTable {
  readonly #families = new Map<string, Family>()
  /** Their keys, by what the names of hosts begin with. */
  readonly #ofHosts = new Map<string, Set<string>>()
  /** Series by measurement. */
  readonly #counts: number[]
  /** Series of one measurement; those that are there stay. */
  most: number
  readonly #now: () => number

  /**
   * @param measurements how many there are
   * @param most series of one of them
   * @param now milliseconds that only rise
   */
  constructor(measurements: number, most: number, now: () => number) {
    this.#counts = new Array<number>(measurements).fill(0)
    this.most = most
    this.#now = now
  }

  /** @param key of the kind and of all that its tags have in common */
  family(key: string, host?: string): Family {
    let family = this.#families.get(key)
    if (!family) {
      family = { host, subjects: new Map() }
      this.#families.set(key, family)
      const base = host === undefined ? undefined : baseOf(host)
      if (base !== undefined) this.#ofHosts.set(base, (this.#ofHosts.get(base) ?? new Set()).add(key))
    }
    return family
  }

  /**
   * @param interval of the window, seconds
   * @param isSame whether it is still called so; else it is another from now on, whose counters begin at 0
   */
  subject(
    family: Family,
    key: string,
    interval: number,
    tags: () => Tags,
    kind: Kind = 'one',
    isSame: (tags: Tags) => boolean = () => true,
  ): Subject {
    let subject = family.subjects.get(key)
    if (subject && !isSame(subject.tags)) {
      this.#forget(subject)
      subject = undefined
    }
    subject ??= new Subject(key, family, tags(), kind)
    subject.until = this.#now() + Math.max(SILENT_MS, SILENT_WINDOWS * interval * 1000)
    return subject
  }

  /** Undefined when the measurement has as many series as it may have; one more for each host stands for the rest. */
  series(subject: Subject, where: Place, role: Role): Series | undefined {
    const place = placeOf(where, role)
    const known = subject.series[place]
    if (known) return known
    const measurement = where.index
    if (subject.kind === 'one' && this.#counts[measurement]! >= this.most) return undefined
    const series = { tags: subject.tagsOf(role), measurement, totals: undefined, distribution: undefined }
    subject.series[place] = series
    subject.family.subjects.set(subject.key, subject)
    this.#counts[measurement]!++
    return series
  }

  /** Undefined when it has none yet. */
  find(subject: Subject, where: Place, role: Role): Series | undefined {
    return subject.series[placeOf(where, role)]
  }

  /** What this host's probe counts begins again at 0. */
  restart(host: string): void {
    for (const { host: owner, subjects } of this.#families.values()) {
      if (owner !== host) continue
      for (const { series } of subjects.values())
        for (const each of series) {
          if (each) Object.assign(each, { totals: undefined, distribution: undefined })
        }
    }
  }

  /** @param nameOf a measurement */
  save(host: string, nameOf: (measurement: number) => string): SavedSubject[] {
    const saved: SavedSubject[] = []
    for (const [family, { host: owner = '', subjects }] of this.#of(host)) {
      for (const { key, tags, kind, series } of subjects.values()) {
        const roleOf = (at: number) => (at % 2 === 0 ? 'client' : 'server')
        const known = series.flatMap((one, at): SavedSeries[] =>
          one
            ? [
                [
                  nameOf(one.measurement),
                  one.tags === tags ? '' : roleOf(at),
                  one.totals ? [...one.totals] : null,
                ],
              ]
            : [],
        )
        saved.push({ family, host: owner, key, tags, kind, series: known })
      }
    }
    return saved
  }

  /**
   * In place of what is known of the host.
   * @param placeOf undefined for a measurement that is not written here
   */
  load(host: string, saved: unknown, placeOf: (measurement: string) => Place | undefined): void {
    this.forget(host)
    for (const given of Array.isArray(saved) ? (saved as SavedSubject[]) : []) {
      const { family, key, tags, kind, series } = given
      const subject = this.subject(this.family(family, given.host), key, 0, () => tags, kind)
      for (const [measurement, role, totals] of series) {
        const place = placeOf(measurement)
        const one = place && this.series(subject, place, role)
        if (one) one.totals = totals ? [...totals] : undefined
      }
    }
  }

  /** Another collector goes on with it. */
  forget(host: string): void {
    for (const [name, family] of this.#of(host)) {
      for (const subject of family.subjects.values()) this.#forget(subject)
      this.#leave(name, family)
    }
  }

  #of(host: string): [string, Family][] {
    const names = [...(this.#ofHosts.get(baseOf(host)) ?? [])]
    return names
      .map((name): [string, Family] => [name, this.#families.get(name)!])
      .filter(([, family]) => isOf(host, family.host!))
  }

  #leave(name: string, { host }: Family): void {
    this.#families.delete(name)
    if (host === undefined) return
    const rest = this.#ofHosts.get(baseOf(host))
    rest?.delete(name)
    if (rest?.size === 0) this.#ofHosts.delete(baseOf(host))
  }

  /** Forgets subjects that have been silent. */
  expire(): void {
    const now = this.#now()
    for (const [name, family] of this.#families) {
      for (const subject of family.subjects.values()) if (subject.until <= now) this.#forget(subject)
      if (family.subjects.size === 0) this.#leave(name, family)
    }
  }

  #forget({ key, family, series }: Subject): void {
    family.subjects.delete(key)
    for (const each of series) if (each) this.#counts[each.measurement]!--
  }

  /** Series in use, by measurement. */
  counts(): readonly number[] {
    return this.#counts
  }
}
