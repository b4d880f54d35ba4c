/**
 * A distribution of microseconds in the buckets of `probe/bpf/rtt/rtt_bucket.h`: 16 to each doubling from 8 us to 67 s, so
 * that the middle of one is at most 3.2 % from every value in it. Histograms add up without loss, in any order: all
 * sums are of whole numbers.
 */

const FIRST_EXPONENT = 3
const END_EXPONENT = 26
const PER_DOUBLING = 16
const WORD = 2 ** 32
/** Two below it are not above 2^53. */
const FULL = 2 ** 52
export const BUCKETS = 1 + PER_DOUBLING * (END_EXPONENT - FIRST_EXPONENT) + 1

/** @param us not negative; the fraction is cut */
export function bucketOf(us: number): number {
  if (us < 2 ** FIRST_EXPONENT) return 0
  if (us >= 2 ** END_EXPONENT) return BUCKETS - 1
  const exponent = 31 - Math.clz32(us)
  return 1 + PER_DOUBLING * (exponent - FIRST_EXPONENT) + (((us << 4) >>> exponent) & 15)
}

/** The smallest value of a bucket. */
export function lowest(bucket: number): number {
  if (bucket === 0) return 0
  const step = bucket - 1
  const doubling = 2 ** (FIRST_EXPONENT + Math.floor(step / PER_DOUBLING))
  return doubling * (1 + (step % PER_DOUBLING) / PER_DOUBLING)
}

export class Histogram {
  count = 0
  /** Whole below 2^53: a sum of 104 days. Open connections have less: their round trips follow one another. */
  #sumNs = 0
  /** Two words: a million samples of 100 ms are above 2^53. */
  #squaresHigh = 0
  #squaresLow = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0
  /** Sixteen buckets in each, created with its first value: round trips of one container are close together. */
  readonly #counts: (number[] | undefined)[] = []
  /** Values in the buckets; the same as `count` unless a message was lost. */
  #bucketed = 0

  /** @param us to the nanosecond; the fraction of its square is cut */
  add(us: number): void {
    this.addTotals(1, Math.floor(us * 1000 + 0.5), Math.floor(us * us), us, us)
    this.addBucket(bucketOf(us), 1)
  }

  /**
   * The exact sums of `count` values, whose buckets come by `addBucket`. The sum is in nanoseconds: through a fraction of
   * microseconds sums above 2^51 would not come back the same.
   * @param sumNs whole
   * @param squares whole
   */
  addTotals(count: number, sumNs: number, squares: number, min: number, max: number): void {
    if (count === 0) return
    this.count += count
    this.#sumNs += sumNs
    this.addSquares(squares)
    if (min < this.#min) this.#min = min
    if (max > this.#max) this.#max = max
  }

  /**
   * The same of values that others counted. A range that does not hold their mean is wrong: it is made as wide as the
   * mean, so that quantiles, which keep to the range, do not fall to 0 with it.
   */
  addCounted(count: number, sumNs: number, squares: number, min: number, max: number): void {
    const mean = sumNs / 1000 / count
    const isRange = max > 0 && min <= max
    this.addTotals(
      count,
      sumNs,
      squares,
      isRange ? Math.min(min, mean) : mean,
      isRange ? Math.max(max, mean) : mean,
    )
  }

  /** Sums above 53 bits come in parts below. @param squares whole */
  addSquares(squares: number): void {
    if (squares < FULL) this.#squaresLow += squares
    else {
      const high = Math.floor(squares / WORD)
      this.#squaresHigh += high
      this.#squaresLow += squares - high * WORD
    }
    if (this.#squaresLow >= FULL) this.#carry()
  }

  addBucket(bucket: number, count: number): void {
    const kept = bucket < BUCKETS ? bucket : BUCKETS - 1
    this.#sixteen(kept >>> 4)[kept & 15]! += count
    this.#bucketed += count
  }

  merge(other: Histogram): void {
    this.addTotals(other.count, other.#sumNs, other.#squaresLow, other.#min, other.#max)
    this.#squaresHigh += other.#squaresHigh
    this.#bucketed += other.#bucketed
    for (let at = 0; at < other.#counts.length; at++) {
      const [from, to] = [other.#counts[at], other.#counts[at] && this.#sixteen(at)]
      if (from && to) for (let index = 0; index < 16; index++) to[index]! += from[index]!
    }
  }

  /** The buckets that have values, lowest first. */
  *buckets(): Generator<[bucket: number, count: number]> {
    for (const [at, counts] of this.#counts.entries())
      for (const [index, count] of counts?.entries() ?? []) if (count > 0) yield [at * 16 + index, count]
  }

  get sum(): number {
    return this.#sumNs / 1000
  }

  get sumNs(): number {
    return this.#sumNs
  }

  get squares(): number {
    return this.#squaresHigh * WORD + this.#squaresLow
  }

  /** The same as an exact number. */
  get wholeSquares(): bigint {
    return BigInt(this.#squaresHigh) * BigInt(WORD) + BigInt(this.#squaresLow)
  }

  get min(): number | undefined {
    return this.count > 0 ? this.#min : undefined
  }

  get max(): number | undefined {
    return this.count > 0 ? this.#max : undefined
  }

  get mean(): number | undefined {
    return this.count > 0 ? this.sum / this.count : undefined
  }

  /** Of all values, not of a selection: divided by n, not by n - 1. */
  get stddev(): number | undefined {
    if (this.count === 0) return undefined
    const mean = this.sum / this.count
    return Math.sqrt(Math.max(0, this.squares / this.count - mean * mean))
  }

  /**
   * The value that `share` of all values do not exceed (nearest rank), as the middle of its bucket (for the last,
   * which has no end, its lowest value), never outside the exact smallest and largest value.
   */
  quantile(share: number): number | undefined {
    const rank = Math.max(1, Math.ceil(share * this.#bucketed))
    let seen = 0
    for (let at = 0; at < this.#counts.length; at++) {
      const counts = this.#counts[at]
      for (let index = 0; counts && index < 16; index++) {
        seen += counts[index]!
        if (seen >= rank) return this.#within(at * 16 + index)
      }
    }
    return undefined
  }

  #carry(): void {
    const high = Math.floor(this.#squaresLow / WORD)
    this.#squaresHigh += high
    this.#squaresLow -= high * WORD
  }

  #within(bucket: number): number {
    const low = lowest(bucket)
    const middle = bucket === BUCKETS - 1 ? low : (low + lowest(bucket + 1)) / 2
    return this.count > 0 ? Math.min(Math.max(middle, this.#min), this.#max) : middle
  }

  #sixteen(at: number): number[] {
    let counts = this.#counts[at]
    if (!counts) {
      counts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      while (this.#counts.length <= at) this.#counts.push(undefined)
      this.#counts[at] = counts
    }
    return counts
  }
}
