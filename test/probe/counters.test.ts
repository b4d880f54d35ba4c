import t from 'tap'
import { Counters } from '../../probe/counters.ts'

t.test('losses of all parts come together as they are now; counts of 0 are left out', async t => {
  const counters = new Counters()
  const counts = { 'fold/full': 0 }
  counters.add(
    { losses: () => ({ 'kernel/slot': 2, 'kernel/storage': 0 }) },
    { figures: () => ({ rows: 1 }) },
    { losses: () => counts },
  )
  t.same(counters.lost(), { 'kernel/slot': 2 })
  counts['fold/full'] = 3
  t.same(counters.lost(), { 'kernel/slot': 2, 'fold/full': 3 })
})

t.test('figures of all parts make one row', async t => {
  const counters = new Counters()
  counters.add(
    { figures: () => ({ rows: 5 }) },
    { losses: () => ({}) },
    { figures: () => ({ messages: 1, queue_bytes: 0 }) },
  )
  t.same(counters.all(), { rows: 5, messages: 1, queue_bytes: 0 })
})
