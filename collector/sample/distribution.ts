/**
 * A histogram that only rises, in the steps that Prometheus is told: each twice the one before, from 16 us to 67 s. They
 * are edges of the buckets of `histogram.ts`, so nothing is guessed. A sample of n us lasted from n to n + 1, so that it
 * is below an edge or above it, never on it.
 */

import type { Histogram } from '../../wire/count/histogram.ts'

const FIRST_EXPONENT = 4
const END_EXPONENT = 26
/** Upper ends, seconds; one more step stands for what is above them all. */
export const STEPS = Array.from(
  { length: END_EXPONENT - FIRST_EXPONENT + 1 },
  (_, step) => 2 ** (FIRST_EXPONENT + step) / 1_000_000,
)

/** A bucket is one of sixteen of a doubling; the first, below 8 us, is in the first step as well. */
const stepOf = (bucket: number): number => (bucket === 0 ? 0 : (bucket - 1) >>> 4)

export class Distribution {
  /** Values in each step; the last is above all. */
  readonly counts: number[] = [...STEPS, Number.POSITIVE_INFINITY].fill(0)
  /** Microseconds. */
  sum = 0

  add(histogram: Histogram): void {
    this.sum += histogram.sum
    for (const [bucket, count] of histogram.buckets()) this.counts[stepOf(bucket)]! += count
  }
}
