import t from 'tap'
import { spark } from '../../../../cli/top/columns/spark.ts'
import { age, amount, count, milliseconds, rate, share } from '../../../../cli/top/columns/units.ts'

t.test('rates: three digits at most, in steps of 1000, nothing at all is 0', async t => {
  const cases = [
    [0, '0'],
    [0.3, '<1 B/s'],
    [7, '7 B/s'],
    [999.6, '1.0 kB/s'],
    [700, '700 B/s'],
    [9_349_000, '9.3 MB/s'],
    [99_950, '100 kB/s'],
    [999_600, '1.0 MB/s'],
    [2e12, '2.0 TB/s'],
  ] as const
  for (const [value, text] of cases) t.equal(rate(value, 'bytes'), text)
  t.equal(rate(1000, 'bits'), '8.0 kbit/s')
  t.equal(amount(0, 'bytes'), '0 B')
})

t.test('milliseconds: as many digits as are meant, and no value is a dash, never 0', async t => {
  const cases = [
    [null, '-'],
    [undefined, '-'],
    [0, '0.000'],
    [0.0554, '0.055'],
    [2.455, '2.46'],
    [14.06, '14.1'],
    [250.4, '250'],
  ] as const
  for (const [value, text] of cases) t.equal(milliseconds(value), text)
})

t.test('counts, shares and ages', async t => {
  t.same([0, 9999, 10_000, 136_000, 0.4].map(count), ['0', '9999', '10k', '136k', '0.4'])
  t.same([null, 0, 0.0001, 0.021, 0.5].map(share), ['-', '0', '<0.1 %', '2.1 %', '50 %'])
  t.same([-1, 41.9, 60, 7300, 200_000].map(age), ['0 s', '41 s', '1 min', '2 h', '2 d'])
})

t.test('a spark: the newest at the right, the largest of this row is the highest', async t => {
  t.equal(spark([0, 1, 4, 8], 6), '   ▁▄█')
  t.equal(spark([0, 0], 3), '   ')
  t.equal(spark([], 3), '   ')
  t.equal(spark([1, 1000], 2), '▁█', 'what is small is still seen')
  t.equal(
    [
      ...spark(
        Array.from({ length: 60 }, (_, at) => at),
        8,
      ),
    ].length,
    8,
    'a minute of seconds fits',
  )
})
