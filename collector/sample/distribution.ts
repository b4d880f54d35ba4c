/**
 * A histogram that only rises, in the steps that Prometheus shows. A sample of n us lasted from n to n + 1, so that it is
 * below an edge of a step or above it, never on it.
 */

import type { Histogram } from '../../wire/count/histogram.ts'
import type { StepCounts } from '../batch.ts'
import { STEPS } from '../metrics/steps.ts'

/** A bucket is one of sixteen of a doubling; the first, below 8 us, is in the first step as well. */
const stepOf = (bucket: number): number => (bucket === 0 ? 0 : (bucket - 1) >>> 4)

export class Distribution {
  /** Values in each step; the last is above all. */
  readonly #counts: number[] = [...STEPS, Number.POSITIVE_INFINITY].fill(0)
  /** Microseconds. */
  #sum = 0
  /** The last copy; undefined when something was added since. */
  #copy: StepCounts | undefined

  add(histogram: Histogram): void {
    this.#sum += histogram.sum
    for (const [bucket, count] of histogram.buckets()) this.#counts[stepOf(bucket)]! += count
    this.#copy = undefined
  }

  /** As it is now: the same object until something is added. */
  copy(): StepCounts {
    this.#copy ??= { counts: this.#counts.slice(), sum: this.#sum }
    return this.#copy
  }
}
