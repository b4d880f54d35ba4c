/**
 * What leaves the sampler and enters the sinks: the samples of one host's window. It is a value: nothing in it changes
 * later, so it may wait, go to disk and come back. A sink needs nothing else; a metric's meaning
 * (help, unit, fold) stays in `metrics/`.
 */

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

  /** One by one, for a reader that needs few. */
  *each(): Generator<Sample> {
    const { length } = this.measurement.fields
    const measured = (value: number) => (Number.isNaN(value) ? undefined : value)
    for (const [at, tags] of this.tags.entries())
      yield { tags, values: this.values.slice(at * length, (at + 1) * length).map(measured) }
  }
}

/** How many values each of the steps of `metrics/steps.ts` has, and one more for what is above them all. */
export interface StepCounts {
  readonly counts: readonly number[]
  /** Of all values, microseconds. */
  readonly sum: number
}

/** All values of a series since the collector started, as of this window, for sinks that show a distribution. */
export interface DistributionSample {
  readonly measurement: Measurement
  readonly tags: Tags
  readonly distribution: StepCounts
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
  /**
   * `late` waited for its names and was written after the rest of the window; of a `missing` one nothing came; `flows` are
   * records of conversations that were made when the window ended, `flows@…` those that were made after it.
   */
  readonly part?: 'late' | 'missing' | 'flows' | `flows@${string}`
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

/**
 * Bytes of a sample, whose tags are those of its series; and of a tag that no other sample has. A record of a conversation, with 34
 * tags and 37 numbers of its own, was measured: 2.2 kB.
 */
const SAMPLE_BYTES = 50
const TAG_BYTES = 55
const NUMBER_BYTES = 8

/** Memory that it takes, in samples of some 50 bytes. */
export function weightOf({ id, samples }: Pick<Batch, 'id' | 'samples'>): number {
  if (id.part !== 'flows') return countOf({ samples })
  return samples.reduce((sum, { count, tags, measurement }) => {
    const one = Object.keys(tags[0] ?? {}).length * TAG_BYTES + measurement.fields.length * NUMBER_BYTES
    return sum + count * Math.ceil(one / SAMPLE_BYTES)
  }, 0)
}
