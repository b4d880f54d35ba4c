import t from 'tap'
import { Follow } from '../../../cli/flows/follow.ts'

const NOW = 1_767_323_040
const row = (id: string, ago: number) => ({ id, time: new Date((NOW - ago) * 1000).toISOString() })
const ids = (rows: readonly { readonly [name: string]: unknown }[]) => rows.map(({ id }) => id)

t.test('each record is shown once, the oldest first', async t => {
  const follow = new Follow(NOW - 100)
  t.same(follow.range(NOW), { since: NOW - 100, gone: NOW - 900 })
  t.same(ids(follow.take([row('b', 10), row('a', 50)], NOW)), ['a', 'b'])
  t.equal(follow.range(NOW).since, NOW - 70, 'other hosts may be a minute late')
  t.same(ids(follow.take([row('b', 10), row('c', 20), row('a', 50)], NOW)), ['c'])
  t.same(ids(follow.take([row('b', 5), row('b', 10)], NOW + 2)), ['b'], 'a later record of the same one')
})

t.test('conversations whose probe is gone come with an old time', async t => {
  const follow = new Follow(NOW)
  t.same(ids(follow.take([row('before', 700)], NOW)), [], 'those of before the start are not new')
  t.same(ids(follow.take([row('gone', 610), row('before', 700)], NOW + 2)), ['gone'])
  for (let s = 4; s < 1000; s += 2) t.same(follow.take([row('gone', 610), row('before', 700)], NOW + 2), [])
  t.same(ids(new Follow(NOW - 800).take([row('asked', 700)], NOW)), ['asked'], 'unless they were asked for')
})

t.test('a clock that is ahead hides nobody', async t => {
  const follow = new Follow(NOW)
  t.same(ids(follow.take([row('ahead', -7200)], NOW)), ['ahead'])
  t.ok(follow.range(NOW + 1).since <= NOW)
  t.same(ids(follow.take([row('ahead', -7200), row('b', -1)], NOW + 2)), ['b'])
})
