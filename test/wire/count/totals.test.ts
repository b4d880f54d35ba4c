import t from 'tap'
import { FlowSums } from '../../../wire/count/flow_sums.ts'
import { TOTAL_PEAKS } from '../../../wire/count/flow_total.ts'

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
  const peaks = [...TOTAL_PEAKS.map(([, sum]) => sum), 'queueFullest' as const]
  const largest = Object.fromEntries(peaks.map(name => [name, counted(10)[name]]))
  const known = counted(1).known | counted(10).known
  t.same(sum, Object.assign(counted(11), largest, { known }))
  t.ok(Object.keys(sum).length > 12)
})
