import fc from 'fast-check'
import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { addRows, layoutOfRecord } from '../../collector/given.ts'

const names = { cgroups: { '1:10': 'a', '1:11': 'b' }, containers: {}, pods: {} }
const count = fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1))
const flow = fc.record({
  socket: fc.nat(),
  hierarchy: fc.constant(1),
  cgroup: fc.constantFrom(10, 11, 12),
  netns: fc.nat(3),
  role: fc.nat(2),
  flags: fc.nat(15).chain(flags => fc.constantFrom(flags, flags | 32)), // one that failed is closed
  pid: fc.nat(5),
  comm: fc.constantFrom('nginx', 'a-name-of-15-ch'),
  bytes_sent: fc.nat(2 ** 44),
  bytes_rcvd: fc.nat(2 ** 44),
  rtt_us: count,
  rtt_var_us: count,
  segs_sent: count,
  segs_rcvd: count,
  segs_resent: count,
})

t.test('an update counts as the row with everything of a flow that is open and was told before', async t => {
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 20 }), flows => {
      const told = (record: string, rows: readonly object[]) => {
        const fold = new Fold(true)
        addRows(fold, layoutOfRecord(record), rows, names)
        return { ...fold, containers: fold.containers, processes: fold.processes, host: fold.host }
      }
      const whole = flows.map(row => ({ ...row, reported_ns: 1, established_ns: 1 }))
      t.same(told('tcp_update', flows), told('tcp_flow', whole))
    }),
    { numRuns: 200 },
  )
})
