import fc from 'fast-check'
import t from 'tap'
import { Distribution, STEPS } from '../../../collector/sample/distribution.ts'
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

t.test('what is below each step is exact, over all histograms that were added', async t => {
  const us = fc.double({ min: 0, max: 32, noNaN: true }).map(exponent => Math.floor(2 ** exponent) - 1)
  const values = fc.array(us, { maxLength: 100 })
  fc.assert(
    fc.property(values, values, (one, other) => {
      const distribution = new Distribution()
      for (const all of [one, other]) distribution.add(histogramOf(all))
      let below = 0
      return distribution.counts.every((count, at) => {
        below += count
        const end = (STEPS[at] ?? Number.POSITIVE_INFINITY) * 1e6
        return below === [...one, ...other].filter(value => value < end).length
      })
    }),
  )
  const distribution = new Distribution()
  distribution.add(histogramOf([15, 16]))
  distribution.add(histogramOf([70_000_000]))
  t.same([distribution.counts[0], distribution.counts[1], distribution.counts.at(-1)], [1, 1, 1])
  t.equal(distribution.sum, 70_000_031)
})
