/**
 * The steps of a distribution in Prometheus: each twice the one before, from 16 us to 67 s. They are edges of
 * the buckets of `wire/count/histogram.ts`, so nothing is guessed.
 */

export const FIRST_EXPONENT = 4
const END_EXPONENT = 26
/** Upper ends, seconds; one more step stands for what is above them all. */
export const STEPS = Array.from(
  { length: END_EXPONENT - FIRST_EXPONENT + 1 },
  (_, step) => 2 ** (FIRST_EXPONENT + step) / 1_000_000,
)
