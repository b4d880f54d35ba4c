import t from 'tap'
import { Stage } from './given.ts'

const flow = (more = {}) => ({
  ...{
    socket: 7,
    role: 1,
    state: 1,
    family: 2,
    pid: 6,
    comm: 'curl',
    opened_ns: 2e9,
    bytes_sent: 5,
    segs_sent: 1,
  },
  ...{
    local: '10.0.0.1',
    local_port: 40000,
    remote: '10.9.0.1',
    remote_port: 80,
    isn_local: 1,
    isn_remote: 2,
  },
  ...more,
})
const other = (more = {}) => flow({ socket: 8, role: 2, isn_local: 2, isn_remote: 1, ...more })
const closed = { state: 7, closed_ns: 3e9 }

t.test('one record for both ends, also when the other window comes later', async t => {
  const stage = new Stage()
  stage.end('b', 0)
  stage.rows('b', 1, 'tcp_flow', [])
  stage.rows('a', 1, 'tcp_flow', [flow(closed)])
  stage.end('a', 1)
  t.equal(stage.records.length, 0, 'the window of host b has not come')
  stage.rows('b', 1, 'tcp_flow', [other(closed)])
  stage.end('b', 1)
  t.match(stage.records, [{ reporter: 'both', client_host: 'a', server_host: 'b' }])
  t.equal(stage.records.length, 1)
  t.equal(stage.flows.store.table.size, 0)
})

t.test('a host that is silent is not waited for', async t => {
  const stage = new Stage()
  stage.rows('b', 0, 'tcp_flow', [other({ socket: 20, isn_local: 50 })])
  stage.rows('a', 1, 'tcp_flow', [flow(closed)])
  stage.end('a', 1)
  t.equal(stage.records.length, 0)
  stage.now = 31_000
  stage.rows('a', 2, 'tcp_flow', [])
  stage.end('a', 2)
  t.equal(stage.records.length, 1)
})

t.test('a long conversation has a record a minute, with what came since', async t => {
  const stage = new Stage()
  for (let window = 0; window < 13; window++) {
    const row =
      window === 0
        ? ['tcp_flow', [flow()]]
        : ['tcp_update', [{ socket: 7, role: 1, state: 1, bytes_sent: 10 }]]
    stage.rows('a', window, row[0] as string, row[1] as object[] as never)
    stage.end('a', window)
  }
  stage.rows('a', 13, 'tcp_flow', [flow({ ...closed, bytes_sent: 1 })])
  stage.end('a', 13)
  t.match(stage.records, [
    { reason: 'active', bytes: 65, delta_bytes: 65 },
    { reason: 'active', bytes: 125, delta_bytes: 60 },
    { reason: 'end', bytes: 126, delta_bytes: 1 },
  ])
})

t.test('a probe that is gone: its conversations end for us, and nothing of it is kept', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [flow()])
  stage.end('a', 0)
  t.equal(stage.records.length, 0)
  stage.now = 601_000
  stage.leave('a')
  t.match(stage.records, [{ reason: 'gone', bytes: 5 }])
  t.match(stage.batches, [{ id: { host: 'a', window: 0 }, time: 1e9 + 600 }])
  t.equal(stage.flows.store.table.size, 0)
  t.equal(stage.flows.store.places.size + stage.flows.store.programs.size + stage.flows.store.runs.size, 0)
})

t.test('flows beyond the limit are refused, counted and said once', async t => {
  const stage = new Stage(1000)
  const many = Array.from({ length: 1200 }, (_, at) => flow({ socket: at + 1, isn_local: at + 10 }))
  stage.rows('a', 0, 'tcp_flow', many)
  stage.end('a', 0)
  t.equal(stage.flows.store.table.size, 1000)
  t.equal(stage.flows.losses()['flows/full'], 200)
  t.match(stage.warnings, [/^1000 live flows are kept and there are more/])
  stage.rows(
    'a',
    1,
    'tcp_flow',
    many.map(row => ({ ...row, ...closed })),
  )
  stage.end('a', 1)
  t.equal(stage.flows.store.table.size, 0)
})

t.test('what comes back after a restart: updates without an address, and the last row has it', async t => {
  const stage = new Stage()
  stage.rows('a', 5, 'tcp_update', [{ socket: 7, role: 1, state: 1, bytes_sent: 10 }])
  stage.end('a', 5)
  t.match(stage.ask().flows, [{ partial: true, asked: { ip: '::', port: 0 } }])
  stage.rows('a', 6, 'tcp_flow', [flow({ ...closed, bytes_sent: 1 })])
  stage.end('a', 6)
  t.match(stage.records, [{ marks: 'partial', asked_ip: '10.9.0.1', bytes: 11 }])
})

t.test('a clock that jumps back: the record is made all the same', async t => {
  const stage = new Stage()
  stage.rows('a', 9, 'tcp_flow', [flow()])
  stage.end('a', 9)
  stage.rows('a', 10, 'tcp_flow', [flow({ ...closed })])
  stage.shift = -1e6
  stage.end('a', 10)
  t.equal(stage.records.length, 1)
})

t.test('a probe that folds has no flows, which is said', async t => {
  const stage = new Stage()
  stage.folded('a')
  t.match(stage.warnings, [/its probe sends sums \(--fold\)/])
  t.same(stage.ask().folded, ['a'])
})
