import t from 'tap'
import { SeriesTable } from '../../collector/series.ts'

const tags = (container: string) => () => ({ container })

t.test('a series keeps its tags and its totals; each role has its own', async t => {
  const table = new SeriesTable(2, 10, () => 0)
  const subject = table.subject('a', 10, tags('a'))
  const client = table.series(subject, 1, 'client')!
  client.totals[0] = 5
  t.same(client.tags, { container: 'a', role: 'client' })
  t.equal(table.series(table.subject('a', 10, tags('renamed')), 1, 'client'), client)
  t.not(table.series(subject, 1, 'server'), client)
  t.equal(table.series(subject, 0, '')!.tags, subject.tags)
  t.same(table.counts(), [1, 2])
  t.ok(table.find(subject, 1, 'server'))
  t.notOk(table.find(table.subject('b', 10, tags('b')), 0, ''))
})

t.test(
  'no measurement has more series than it may, and who stands for the rest always finds a place',
  async t => {
    const table = new SeriesTable(2, 2, () => 0)
    const subject = (key: string) => table.subject(key, 10, tags(key))
    t.ok(table.series(subject('a'), 0, ''))
    t.ok(table.series(subject('b'), 0, ''))
    t.equal(table.series(subject('c'), 0, ''), undefined)
    t.ok(table.series(subject('c'), 1, ''), 'another measurement has places of its own')
    t.ok(table.series(subject('a'), 0, ''), 'one that has its place keeps it')
    t.ok(table.series(table.subject('~other', 10, tags('~other'), 'other'), 0, ''))
    t.ok(table.series(table.subject('host', 10, tags('host'), 'host'), 0, ''), 'and so does a host')
    t.same(table.counts(), [4, 1])
  },
)

t.test('who is silent for five minutes, or three long windows, leaves its places', async t => {
  let now = 0
  const table = new SeriesTable(1, 2, () => now)
  const first = table.series(table.subject('short', 10, tags('short')), 0, '')!
  first.totals[0] = 7
  table.series(table.subject('long', 200, tags('long')), 0, '')
  now = 299_999
  table.expire()
  t.same(table.counts(), [2])
  now = 300_000
  table.expire()
  t.same(table.counts(), [1])
  const again = table.series(table.subject('short', 10, tags('short')), 0, '')!
  t.same(again.totals, [], 'it begins at 0 again')
  now = 600_000
  table.subject('short', 10, tags('short'))
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
    table.series(table.subject(key, 10, tags(key), 'one', host), 0, '')!
  for (const subject of told) counted(subject).totals[0] = 7
  table.restart('one')
  t.same(
    told.map(subject => counted(subject).totals),
    [[], [], [7], [7], [7]],
  )
  t.same(table.counts(), [5])
})
