import fc from 'fast-check'
import t from 'tap'
import { STEPS } from '../../../collector/metrics/steps.ts'
import { Distribution } from '../../../collector/sample/distribution.ts'
import { Histogram } from '../../../wire/count/histogram.ts'

const histogramOf = (all: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const us of all) histogram.add(us)
  return histogram
}

t.test('the steps double from 16 us to 67 s', async t => {
  t.equal(STEPS[0], 0.000016)
  t.equal(STEPS.at(-1), 67.108864)
  t.ok(STEPS.every((step, at) => at === 0 || step === 2 * STEPS[at - 1]!))
})

t.test('the count below each step is exact, over all histograms that were added', async t => {
  const us = fc.double({ min: 0, max: 32, noNaN: true }).map(exponent => Math.floor(2 ** exponent) - 1)
  const values = fc.array(us, { maxLength: 100 })
  fc.assert(
    fc.property(values, values, (one, other) => {
      const distribution = new Distribution()
      for (const all of [one, other]) distribution.add(histogramOf(all))
      let below = 0
      return distribution.copy().counts.every((count, at) => {
        below += count
        const end = (STEPS[at] ?? Number.POSITIVE_INFINITY) * 1e6
        return below === [...one, ...other].filter(value => value < end).length
      })
    }),
  )
  const distribution = new Distribution()
  distribution.add(histogramOf([15, 16]))
  distribution.add(histogramOf([70_000_000]))
  const { counts, sum } = distribution.copy()
  t.same([counts[0], counts[1], counts.at(-1)], [1, 1, 1])
  t.equal(sum, 70_000_031)
})

t.test('a copy stays as it is, and is made once for each change', async t => {
  const distribution = new Distribution()
  distribution.add(histogramOf([20]))
  const before = distribution.copy()
  t.equal(distribution.copy(), before)
  distribution.add(histogramOf([20]))
  t.same([before.counts[0], before.counts[1], before.sum], [0, 1, 20])
  t.same([distribution.copy().counts[1], distribution.copy().sum], [2, 40])
})
