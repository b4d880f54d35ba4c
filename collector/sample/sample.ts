/**
 * What leaves the fold and enters the sinks: the samples of one host's window.
 * A sink needs nothing else; a metric's meaning (help, unit, fold) stays in `metrics/`.
 */

import type { Distribution } from './distribution.ts'

/** One measurement of the catalogue, as a sink sees it. */
export interface Measurement {
  /** `prefix:suffix`, for example `container:num_flows`. */
  readonly name: string
  /** Field names, in the order of a sample's values. Every field is a float. */
  readonly fields: readonly string[]
}

/** Tag names and values; the same object for every sample of one container, pod or host, so that a sink can keep on it what it made of it. */
export type Tags = Readonly<Record<string, string>>

/** One point. At least one value is a number; `undefined` means "not measured" and is never written as 0. */
export interface Sample {
  readonly tags: Tags
  readonly values: readonly (number | undefined)[]
}

/**
 * The samples of one measurement. Windows of many hosts come at once and wait for the sinks: an object each takes
 * four times the memory.
 */
export class Samples {
  readonly measurement: Measurement
  /** Of one sample after the other. */
  readonly tags: readonly Tags[]
  /** Of one sample after the other, as many of each as there are fields; NaN is what was not measured. */
  readonly values: readonly number[]

  constructor(measurement: Measurement, tags: readonly Tags[], values: readonly number[]) {
    this.measurement = measurement
    this.tags = tags
    this.values = values
  }

  get count(): number {
    return this.tags.length
  }

  /** One by one, for whoever needs few. */
  *each(): Generator<Sample> {
    const { length } = this.measurement.fields
    const measured = (value: number) => (Number.isNaN(value) ? undefined : value)
    for (const [at, tags] of this.tags.entries())
      yield { tags, values: this.values.slice(at * length, (at + 1) * length).map(measured) }
  }
}

const NO_TAGS: Tags = {}

/** Where samples are put one by one. Its arrays have grown for the windows before; a copy is as large as it must be. */
export class Gathering {
  readonly measurement: Measurement
  readonly #tags: Tags[] = []
  readonly #values: number[] = []
  #count = 0

  constructor(measurement: Measurement) {
    this.measurement = measurement
  }

  add({ tags, values }: Sample): void {
    const { length } = this.measurement.fields
    const first = this.#count * length
    for (let at = 0; at < length; at++) {
      const value = values[at]
      // a number that is none has to be counted: no store takes infinity either
      this.#values[first + at] =
        value === undefined ? Number.NaN : Number.isNaN(value) ? Number.POSITIVE_INFINITY : value
    }
    this.#tags[this.#count++] = tags
  }

  /** Anew, whatever a window that failed has left. */
  begin(): this {
    this.#count = 0
    return this
  }

  /** What has come together. */
  samples(): Samples {
    const count = this.#count
    const values = this.#values.slice(0, count * this.measurement.fields.length)
    const tags = this.#tags.slice(0, count)
    this.#tags.fill(NO_TAGS, 0, count) // a series that is forgotten must not stay here
    return new Samples(this.measurement, tags, values)
  }
}

/** What has come together of all values of a series, for sinks that show a distribution. */
export interface DistributionSample {
  readonly measurement: Measurement
  readonly tags: Tags
  readonly distribution: Distribution
}

/** The window that the samples were folded from: unique over every probe that ever ran. */
export interface WindowId {
  readonly host: string
  /** /proc/sys/kernel/random/boot_id of the probe's host. */
  readonly boot: string
  /** Identity of one run of a probe. */
  readonly probe: string
  /** Windows of one run, counted from 0. */
  readonly window: number
  /** What waited for its names and was written after the rest of the window. */
  readonly part?: 'late'
}

/** All samples of one host's window. */
export interface Batch {
  readonly id: WindowId
  /** The window's end on the host's wall clock, seconds since the epoch, a multiple of the interval. */
  readonly time: number
  /** Seconds. */
  readonly interval: number
  /** A measurement each; of one that has no sample, none. */
  readonly samples: readonly Samples[]
  /** Of each series that is in the window, also where it has no sample; empty when no sink wants them. */
  readonly distributions: readonly DistributionSample[]
}

export const countOf = ({ samples }: Pick<Batch, 'samples'>): number =>
  samples.reduce((sum, { count }) => sum + count, 0)
