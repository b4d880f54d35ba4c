import t from 'tap'
import { Fold } from '../../../../collector/fold/fold.ts'
import {
  flowTotalLayout,
  TOTAL_DISTRIBUTIONS,
  TOTAL_PEAKS,
  TOTAL_SUMS,
} from '../../../../wire/count/flow_total.ts'
import { ROLE_CLIENT, ROLE_SERVER } from '../../../../wire/records.ts'
import { addRows } from '../../given.ts'

const nobody = { cgroups: {}, containers: {}, pods: {} }

t.test('sums add up by role, beyond 32 bits too', async t => {
  const fold = new Fold()
  const row = { flows: 3, opened: 2, failed: 1, bytes_sent: 2 ** 40, rtt_sum_us: 600, measured: 2 }
  const rows = [
    { ...row, role: ROLE_CLIENT },
    { ...row, role: ROLE_CLIENT },
    { ...row, role: ROLE_SERVER },
  ]
  addRows(fold, flowTotalLayout, rows, nobody)
  const { client, server } = fold.host
  t.match(client, { flows: 6, opened: 4, failed: 2, bytesSent: 2 ** 41, meanRttUs: 300, closed: 0 })
  t.match(server, { flows: 3, bytesSent: 2 ** 40, meanRttUs: 300 })
  t.equal(client.connect, undefined)
})

t.test('each number that is counted of flows has a column of its own', async t => {
  const fold = new Fold()
  const values = Object.fromEntries(TOTAL_SUMS.map(([column], index) => [column, index + 1]))
  addRows(fold, flowTotalLayout, [{ ...values, role: ROLE_CLIENT }], nobody)
  const { client } = fold.host
  t.same(
    TOTAL_SUMS.map(([, sum]) => client[sum]),
    TOTAL_SUMS.map((_, index) => index + 1),
  )
  // what the kernel counts without flows goes as tcp_total
  const numbers = Object.entries(client).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []))
  const columns = [...TOTAL_SUMS, ...TOTAL_PEAKS].map(([, sum]): string => sum)
  const elsewhere = numbers.filter(name => !columns.includes(name))
  const queue = ['listeners', 'queueDepth', 'queueLimit', 'queueFullest', 'queueDrops']
  t.same(elsewhere, [...queue, 'resetsSent', 'resetsRcvd', 'known'])
})

t.test('connect times are exact in sum, smallest and largest, and in their buckets', async t => {
  const fold = new Fold()
  const connects = {
    connects: 2,
    connect_sum_ns: 3_000_500,
    connect_squares_us2: 5_000_000,
    connect_min_ns: 1_000_250,
    connect_max_ns: 2_000_250,
  }
  addRows(fold, flowTotalLayout, [{ ...connects, flows: 2, role: ROLE_CLIENT }], nobody)
  const buckets = [112, 128].map(bucket => ({ bucket, samples: 1, role: ROLE_CLIENT }))
  addRows(fold, TOTAL_DISTRIBUTIONS[0]!.buckets, buckets, nobody)
  const { connect, rtt } = fold.host.client
  t.match(connect, { count: 2, sum: 3000.5, squares: 5_000_000, min: 1000.25, max: 2000.25 })
  t.same(
    [...connect!.buckets()],
    [
      [112, 1],
      [128, 1],
    ],
  )
  t.equal(rtt, undefined)
})

t.test('a column that another version of the probe does not have is 0', async t => {
  const fields = flowTotalLayout.fields.filter(({ name }) => /^(cgroup|hierarchy|flows)$/.test(name))
  const fold = new Fold()
  addRows(fold, { ...flowTotalLayout, fields }, [{ flows: 4, opened: 4, connects: 4 }], nobody)
  t.match(fold.host.client, { flows: 4, opened: 0, connect: undefined })
})
