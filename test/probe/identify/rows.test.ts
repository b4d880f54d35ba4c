import fc from 'fast-check'
import t from 'tap'
import { RowReader } from '../../../probe/identify/rows.ts'
import { encodeRows } from '../../../wire/columns.ts'
import { tcpFlowLayout } from '../../harness/rows.ts'

const layout = tcpFlowLayout()

t.test('owners and processes of rows are each told once, with how many rows they own', async t => {
  const row = fc.record({
    cgroup: fc.constantFrom(1n, 2n, 2n ** 32n + 1n, 2n ** 63n),
    hierarchy: fc.constantFrom(0, 1, 2 ** 32 - 1),
    netns: fc.constantFrom(7, 2 ** 32 - 8),
    pid: fc.constantFrom(0, 1, 2, 2 ** 22),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), rows => {
      const reader = new RowReader(layout)
      const bytes = encodeRows<{ cgroup: 'u64' }>(layout, rows)
      const expected = Map.groupBy(rows, ({ cgroup, hierarchy, netns }) => `${hierarchy}:${cgroup} ${netns}`)
      const told = reader.owners(bytes).map(({ key, inode, count }) => [`${key} ${inode}`, count] as const)
      t.same(new Map(told), new Map([...expected].map(([key, { length }]) => [key, length])))
      t.equal(told.length, expected.size)
      t.same(reader.pids(bytes), new Set(rows.map(({ pid }) => pid).filter(pid => pid > 0)))
    }),
  )
})
