import fc from 'fast-check'
import t from 'tap'
import { name, number } from '../../../cli/top/columns/column.ts'
import { frozen, matching, neighbour, sorted } from '../../../cli/top/select.ts'

interface Row {
  readonly id: string
  readonly value: number | null
}
const shown = { unit: 'bytes', now: 0 } as const
const columns = [
  name<Row>('NAME', ({ id }) => id),
  number<Row>(
    'VALUE',
    ({ value }) => value,
    value => String(value),
  ),
  { title: 'NOTE', cell: () => 'Note' },
]
const rows: Row[] = [
  { id: 'web-10', value: 1 },
  { id: 'web-2', value: null },
  { id: 'DB', value: 30 },
]
const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)

t.test(
  'numbers: the largest first; names: from A, with their numbers as numbers; no value is last, always',
  async t => {
    const by = (title: string, isReversed = false) => ids(sorted(rows, columns, { title, isReversed }))
    t.same(by('VALUE'), ['DB', 'web-10', 'web-2'])
    t.same(by('VALUE', true), ['web-10', 'DB', 'web-2'])
    t.same(by('NAME'), ['DB', 'web-2', 'web-10'])
    t.same(by('NAME', true), ['web-10', 'web-2', 'DB'])
    t.same(by('NOTE'), ids(rows), 'a column without a value sorts nothing')
    t.same(by('of another view'), ids(rows))
  },
)

t.test('any rows stay the same rows, whatever they are sorted by', async () => {
  const row = fc.record({ id: fc.string(), value: fc.option(fc.double({ noNaN: true })) })
  fc.assert(
    fc.property(fc.array(row), fc.boolean(), (rows, isReversed) => {
      const values = sorted(rows, columns, { title: 'VALUE', isReversed }).map(({ value }) => value)
      const known = values.filter(value => value !== null)
      const expected = [...known].sort((a, b) => (isReversed ? a - b : b - a))
      return (
        values.length === rows.length &&
        values.slice(known.length).every(value => value === null) &&
        known.every((value, at) => value === expected[at] || value - expected[at]! === 0)
      )
    }),
  )
})

t.test('a filter: all words, in any case, in any cell', async t => {
  const by = (filter: string) => ids(matching(rows, columns, filter, shown))
  t.same(by(''), ids(rows))
  t.same(by('WEB'), ['web-10', 'web-2'])
  t.same(by(' note  db '), ['DB'])
  t.same(by('30'), ['DB'])
  t.same(by('web db'), [])
  t.same(by('.*'), [], 'it is no pattern')
})

t.test('frozen rows keep their places, new ones are behind them', async t => {
  t.same(ids(frozen(rows, ({ id }) => id, ['web-2', 'gone', 'web-10'])), ['web-2', 'web-10', 'DB'])
})

t.test('the next column and the one before: of those that sort, in a circle', async t => {
  t.equal(neighbour(columns, 'NAME', 1), 'VALUE')
  t.equal(neighbour(columns, 'VALUE', 1), 'NAME')
  t.equal(neighbour(columns, 'NAME', -1), 'VALUE')
  t.equal(neighbour([], 'NAME', 1), 'NAME')
})
