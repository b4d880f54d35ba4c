import t from 'tap'
import { Backoff } from '../../../../probe/publish/link/backoff.ts'

const taken = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next())

t.test('pauses double up to the most', async t => {
  const backoff = new Backoff(100, 5000, () => 1)
  t.same(taken(backoff, 8), [100, 200, 400, 800, 1600, 3200, 5000, 5000])
  backoff.reset()
  t.same(taken(backoff, 2), [100, 200])
})

t.test('with jitter a pause is half of that at least', async t => {
  t.same(taken(new Backoff(100, 400, () => 0), 4), [50, 100, 200, 200])
})
