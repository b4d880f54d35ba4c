import t from 'tap'
import { FlowSums } from '../../../wire/count/flow_sums.ts'

/** Each number another one. */
function counted(factor: number): FlowSums {
  const totals = new FlowSums()
  const numbers = Object.entries(totals).filter(([, value]) => typeof value === 'number')
  Object.assign(totals, Object.fromEntries(numbers.map(([name], index) => [name, (index + 1) * factor])))
  return totals
}

t.test('totals add up, each number of them', async t => {
  const sum = counted(1)
  sum.add(counted(10))
  t.same(sum, counted(11))
  t.ok(Object.keys(sum).length > 12)
})
