import t from 'tap'
import { type Kind, SeriesTable } from '../../../collector/sample/series.ts'

const tags = (container: string) => () => ({ container })
const FIRST = { index: 0, place: 0 }
const SECOND = { index: 1, place: 1 }

t.test('a series keeps its tags and its totals; each role has its own', async t => {
  const table = new SeriesTable(2, 10, () => 0)
  const family = table.family('container')
  const subject = table.subject(family, 'a', 10, tags('a'))
  const client = table.series(subject, SECOND, 'client')!
  client.totals = [5]
  t.same(client.tags, { container: 'a', role: 'client' })
  t.equal(table.series(table.subject(family, 'a', 10, tags('renamed')), SECOND, 'client'), client)
  t.not(table.series(subject, SECOND, 'server'), client)
  t.equal(table.series(subject, FIRST, '')!.tags, subject.tags)
  t.same(table.counts(), [1, 2])
  t.ok(table.find(subject, SECOND, 'server'))
  t.notOk(table.find(table.subject(family, 'b', 10, tags('b')), FIRST, ''))
})

t.test('a subject with a new name has new series from 0', async t => {
  const table = new SeriesTable(1, 1, () => 0)
  const family = table.family('container')
  const called = (name: string) =>
    table.subject(family, 'a', 10, tags(name), 'one', known => known['container'] === name)
  const first = table.series(called('web'), FIRST, '')!
  first.totals = [5]
  t.equal(table.series(called('web'), FIRST, ''), first)
  const second = table.series(called('shop'), FIRST, '')!
  t.same(second, { tags: { container: 'shop' }, measurement: 0, totals: undefined, distribution: undefined })
  t.same(table.counts(), [1], 'there is room for one')
})

t.test('no measurement has more series than the bound, and the overflow always has one', async t => {
  const table = new SeriesTable(2, 2, () => 0)
  const subject = (key: string, kind?: Kind) => table.subject(table.family('x'), key, 10, tags(key), kind)
  t.ok(table.series(subject('a'), FIRST, ''))
  t.ok(table.series(subject('b'), FIRST, ''))
  t.equal(table.series(subject('c'), FIRST, ''), undefined)
  t.ok(table.series(subject('c'), SECOND, ''), 'another measurement has places of its own')
  t.ok(table.series(subject('a'), FIRST, ''), 'one that has its place keeps it')
  t.ok(table.series(subject('~other', 'other'), FIRST, ''))
  t.ok(table.series(subject('host', 'host'), FIRST, ''), 'and so does a host')
  t.same(table.counts(), [4, 1])
})

t.test('a subject that is silent for five minutes, or three long windows, is forgotten', async t => {
  let now = 0
  const table = new SeriesTable(1, 2, () => now)
  const subject = (key: string, interval = 10) => table.subject(table.family('x'), key, interval, tags(key))
  const first = table.series(subject('short'), FIRST, '')!
  first.totals = [7]
  table.series(subject('long', 200), FIRST, '')
  now = 299_999
  table.expire()
  t.same(table.counts(), [2])
  now = 300_000
  table.expire()
  t.same(table.counts(), [1])
  const again = table.series(subject('short'), FIRST, '')!
  t.equal(again.totals, undefined, 'it begins at 0 again')
  now = 600_000
  subject('short')
  table.expire()
  t.same(table.counts(), [1], 'who comes stays')
})

t.test("a host's counters can begin again, and nobody else's", async t => {
  const table = new SeriesTable(1, 10, () => 0)
  const told = [
    ['0 container a one', 'one'],
    ['0 host one', 'one'],
    ['0 host two', 'two'],
    ['0 host two one', 'two one'],
    [' collector:stats one', undefined],
  ] as const
  const counted = ([key, host]: (typeof told)[number]) =>
    table.series(table.subject(table.family(key, host), key, 10, tags(key)), FIRST, '')!
  for (const subject of told) counted(subject).totals = [7]
  table.restart('one')
  t.same(
    told.map(subject => counted(subject).totals),
    [undefined, undefined, [7], [7], [7]],
  )
  t.same(table.counts(), [5])
})

t.test('with another bound what is there stays', async t => {
  const table = new SeriesTable(1, 2, () => 0)
  const series = (key: string) =>
    table.series(table.subject(table.family('x'), key, 10, tags(key)), FIRST, '')
  for (const key of ['a', 'b']) t.ok(series(key))
  table.most = 1
  t.ok(series('a') && series('b'))
  t.notOk(series('c'))
  table.most = 3
  t.ok(series('c'))
  t.notOk(series('d'))
})
