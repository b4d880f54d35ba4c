import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { BUCKETS, bucketOf, Histogram, lowest } from '../../../wire/count/histogram.ts'

const header = readFileSync(join(import.meta.dirname, '../../../probe/bpf/rtt/rtt_bucket.h'), 'utf8')
const defined = (name: string) => Number(new RegExp(`#define ${name} (\\d+)`).exec(header)![1])
const FIRST = defined('RTT_FIRST_EXPONENT')
const END = defined('RTT_END_EXPONENT')

t.test('the buckets are those of rtt_bucket.h', async t => {
  t.equal(BUCKETS, 1 + 16 * (END - FIRST) + 1)
  for (let e = FIRST; e < END; e++)
    for (let m = 0; m < 16; m++) {
      const bucket = 1 + 16 * (e - FIRST) + m
      const from = 2 ** e * (1 + m / 16)
      t.equal(lowest(bucket), from)
      t.equal(bucketOf(Math.ceil(from)), bucket + (e === FIRST && m % 2 === 1 ? 1 : 0))
    }
  t.same([0, 7, 7.9].map(bucketOf), [0, 0, 0])
  t.same([2 ** END - 1, 2 ** END, 2 ** 32 - 1].map(bucketOf), [BUCKETS - 2, BUCKETS - 1, BUCKETS - 1])
})

const values = (us: fc.Arbitrary<number>) => fc.array(us, { minLength: 1, maxLength: 200 })
/** 10 us to 60 s, evenly over the magnitudes. */
const rtt = fc.double({ min: 1, max: 7.778, noNaN: true }).map(exponent => Math.round(10 ** exponent))

const histogramOf = (all: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const us of all) histogram.add(us)
  return histogram
}

t.test('quantiles are at most 5 % from those of the sorted values; the rest is exact', async t => {
  fc.assert(
    fc.property(values(rtt), fc.constantFrom(0.5, 0.95, 0.99, 1), (all, share) => {
      const histogram = histogramOf(all)
      const sorted = all.toSorted((a, b) => a - b)
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!
      const estimate = histogram.quantile(share)!
      const mean = all.reduce((sum, us) => sum + us, 0) / all.length
      const variance = all.reduce((sum, us) => sum + (us - mean) ** 2, 0) / all.length
      return (
        Math.abs(estimate - exact) <= 0.05 * exact &&
        histogram.count === all.length &&
        histogram.min === sorted[0] &&
        histogram.max === sorted.at(-1) &&
        histogram.mean === mean &&
        // what remains of the squares after subtracting has an error of the squares' own size
        Math.abs(histogram.stddev! ** 2 - variance) <= 1e-12 * (variance + mean ** 2)
      )
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('merged histograms are the histogram of all values', async t => {
  const any = fc.nat(2 ** 32 - 1)
  fc.assert(
    fc.property(fc.array(values(any), { maxLength: 5 }), parts => {
      const merged = new Histogram()
      for (const part of parts) merged.merge(histogramOf(part))
      const all = histogramOf(parts.flat())
      const shares = [0, 0.5, 0.95, 1]
      return (
        JSON.stringify([...merged.buckets()]) === JSON.stringify([...all.buckets()]) &&
        shares.every(share => merged.quantile(share) === all.quantile(share)) &&
        merged.min === all.min &&
        merged.max === all.max &&
        merged.count === all.count
      )
    }),
  )
  t.pass()
})

t.test('one that is empty has no numbers', async t => {
  const { count, min, max, mean, stddev } = new Histogram()
  t.same([count, min, max, mean, stddev, new Histogram().quantile(0.5)], [0, ...Array(5).fill(undefined)])
})

t.test('buckets whose totals were lost still have quantiles, totals without buckets have none', async t => {
  const buckets = new Histogram()
  buckets.addBucket(bucketOf(1000), 3)
  buckets.addBucket(60_000, 1)
  t.equal(buckets.quantile(0.5), 1008, 'the middle of 992 to 1024')
  t.equal(buckets.quantile(1), 2 ** END, 'a bucket that does not exist is the last')
  t.equal(buckets.mean, undefined)
  const totals = new Histogram()
  totals.addTotals(2, 3_000_000, 5e6, 1000, 2000)
  t.match(totals, { count: 2, mean: 1500, min: 1000, max: 2000, stddev: 500 })
  t.equal(totals.quantile(0.5), undefined)
})

t.test('sums are the same to the last bit, whatever is added first', async t => {
  const long = fc.integer({ min: 2 ** 25, max: 2 ** 32 - 1 }).map(ns => ns / 1000)
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.oneof(long, fc.nat(2 ** 27)), { maxLength: 9 }), { maxLength: 9 }),
      parts => {
        const all = histogramOf(parts.flat())
        const merged = new Histogram()
        for (const part of parts.toReversed()) merged.merge(histogramOf(part.toReversed()))
        const exact = parts.flat().reduce((sum, us) => sum + BigInt(Math.floor(us * us)), 0n)
        t.equal(all.wholeSquares, exact)
        t.same(
          [merged.sum, merged.sumNs, merged.squares, merged.wholeSquares],
          [all.sum, all.sumNs, all.squares, all.wholeSquares],
        )
      },
    ),
    { numRuns: 200 },
  )
})

t.test('sums up to 2^53 ns come back the same from totals', async t => {
  fc.assert(
    fc.property(
      fc.array(
        fc.maxSafeNat().map(ns => Math.floor(ns / 16)),
        { maxLength: 16 },
      ),
      sums => {
        const merged = new Histogram()
        for (const sum of sums) {
          const one = new Histogram()
          one.addTotals(1, sum, 0, sum / 1000, sum / 1000)
          merged.merge(one)
        }
        t.equal(
          merged.sumNs,
          sums.reduce((total, sum) => total + sum, 0),
        )
      },
    ),
  )
})

/** What a kernel says of values: exact, or with a range that is missing or of other values. */
const range = fc.constantFrom('exact', 'none', 'low', 'high')
const parts = fc.array(fc.record({ all: values(rtt), range }), { minLength: 1, maxLength: 6 })

t.test('quantiles keep to the range, and the range holds the mean, whatever ranges came', async t => {
  fc.assert(
    fc.property(parts, fc.constantFrom(0, 0.5, 0.95, 0.99, 1), (parts, share) => {
      const merged = new Histogram()
      for (const { all, range } of parts) {
        const one = new Histogram()
        const sum = all.reduce((total, us) => total + us, 0)
        const [min, max] = [Math.min(...all), Math.max(...all)]
        const given = { exact: [min, max], none: [0, 0], low: [1, 2], high: [2 ** 27, 2 ** 28] }[range]
        one.addCounted(all.length, sum * 1000, 0, given[0]!, given[1]!)
        for (const us of all) one.addBucket(bucketOf(us), 1)
        merged.merge(one)
      }
      const value = merged.quantile(share)!
      t.ok(merged.min! <= value && value <= merged.max!, `${merged.min} <= ${value} <= ${merged.max}`)
      t.ok(merged.min! <= merged.mean! && merged.mean! <= merged.max!, `${merged.mean} is in the range`)
    }),
    { numRuns: 300 },
  )
})

t.test('every quantile of a single value is in its bucket, whatever its range says', async t => {
  fc.assert(
    fc.property(rtt, fc.constantFrom([0, 0], [1, 1], [2 ** 28, 2 ** 28]), (us, [min, max]) => {
      const one = new Histogram()
      one.addCounted(1, us * 1000, us * us, min!, max!)
      one.addBucket(bucketOf(us), 1)
      const value = one.quantile(0.95)!
      t.ok(value >= Math.min(us, min!) && value <= Math.max(us, max!), `${value} of ${us}`)
      if (max === 0) t.equal(bucketOf(value), bucketOf(us))
    }),
  )
})
