import { type Measurement, type Sample, Samples, type Tags } from '../batch.ts'

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
