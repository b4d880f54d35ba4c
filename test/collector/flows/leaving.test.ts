/** What becomes of flows when no window ends any more: their probe is put aside, or the collector stops. */

import t from 'tap'
import type { Batch } from '../../../collector/batch.ts'
import { Stage } from './given.ts'

const client = (more = {}) => ({
  ...{ socket: 7, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', opened_ns: 2e9 },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.9.0.1', remote_port: 80 },
  ...{ isn_local: 1, isn_remote: 2, bytes_sent: 5, segs_sent: 1 },
  ...more,
})
const server = (more = {}) =>
  client({ socket: 8, role: 2, isn_local: 2, isn_remote: 1, bytes_sent: 0, ...more })
const update = (socket: number, role: number, more = {}) => ({ socket, role, state: 1, ...more })
const closed = { state: 7, closed_ns: 3e9 }

/** A conversation between two hosts that has lasted one window. */
function pair(more = {}): Stage {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client()])
  stage.rows('b', 0, 'tcp_flow', [server({ bytes_rcvd: 5, ...more })])
  for (const host of ['a', 'b']) stage.end(host, 0)
  return stage
}
const idOf = ({ id }: Batch) => Object.values(id).join(' ')
const sum = (stage: Stage, name: string) =>
  stage.records.reduce((sum, record) => sum + Number(record[name]), 0)

t.test("the client's probe is gone: a record of it, and the server goes on alone", async t => {
  const stage = pair()
  stage.now = 601_000
  stage.leave('a')
  t.match(stage.records, [{ reason: 'gone', reporter: 'both', client_host: 'a', bytes: 5, delta_bytes: 5 }])
  t.match(stage.batches, [{ id: { host: 'a', probe: 'p', window: 0 }, time: 1e9 + 600 }])
  for (let window = 1; window < 8; window++) {
    stage.rows('b', window, 'tcp_update', [update(8, 2, { bytes_rcvd: 10 })])
    stage.end('b', window)
  }
  stage.rows('b', 8, 'tcp_flow', [server({ ...closed, bytes_rcvd: 1 })])
  stage.end('b', 8)
  t.match(stage.records.slice(1), [
    { reason: 'active', reporter: 'server', server_host: 'b', delta_bytes: 60 },
    { reason: 'end', reporter: 'server', bytes: 76, delta_bytes: 11 },
  ])
  t.equal(sum(stage, 'delta_bytes'), 76, 'every byte is in one record')
  t.same(
    stage.batches.map(({ id }) => id.host),
    ['a', 'b', 'b'],
  )
  t.equal(stage.flows.store.table.size, 0)
})

t.test("the server's probe is gone: the client goes on, and what both had is recorded", async t => {
  const stage = pair({ bytes_sent: 3, bytes_rcvd: 5 })
  stage.leave('b')
  t.match(stage.records, [{ reason: 'active', reporter: 'both', server_host: 'b', rev_bytes: 3 }])
  stage.rows('a', 1, 'tcp_flow', [client({ ...closed, bytes_sent: 1, bytes_rcvd: 3 })])
  stage.end('a', 1)
  t.match(stage.records[1], { reason: 'end', reporter: 'client', delta_bytes: 1, delta_rev_bytes: 0 })
  t.equal(stage.records[0]!['id'], stage.records[1]!['id'])
})

t.test('both ends of one probe, and one that has closed already: one record each', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client(), server()])
  stage.end('a', 0)
  stage.leave('a')
  t.match(stage.records, [{ reason: 'gone', reporter: 'both' }])
  const other = pair()
  other.rows('b', 1, 'tcp_flow', [server(closed)])
  other.end('b', 1)
  t.equal(other.records.length, 0)
  other.leave('a')
  t.match(other.records, [{ reason: 'gone', reporter: 'both' }])
  other.end('b', 2)
  t.equal(other.records.length, 1)
  t.equal(other.flows.store.table.size, 0)
})

t.test('records of a probe that is gone are under ids of their own, which it never uses again', async t => {
  const stage = new Stage()
  for (let round = 0; round < 3; round++) {
    stage.rows('a', round, 'tcp_flow', [client({ socket: 10 + round })])
    stage.end('a', round)
    for (let again = 0; again < 2; again++) {
      stage.rows('a', round + 1, 'tcp_update', [update(10 + round, 1, { bytes_sent: 5 })])
      stage.leave('a')
    }
  }
  t.equal(new Set(stage.batches.map(idOf)).size, stage.batches.length)
  for (const { id } of stage.batches) t.doesNotThrow(() => BigInt(id.window))
  t.notOk(
    stage.batches.some(({ id }) => id.part === 'flows'),
    'those of windows are free',
  )
})

t.test('a probe of which no window has ended has no record, and nothing of it is kept', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client(), server()])
  stage.leave('a')
  t.same(stage.records, [])
  const { table, runs } = stage.flows.store
  t.equal(table.size + runs.size, 0)
})

t.test('the rows of an unfinished window count once when the probe comes back with them', async t => {
  const stage = new Stage()
  const late = () =>
    stage.rows('a', 1, 'tcp_update', [update(7, 1, { bytes_sent: 100, segs_sent: 9, segs_resent: 2 })])
  stage.rows('a', 0, 'tcp_flow', [client()])
  stage.end('a', 0)
  late()
  stage.leave('a')
  t.match(stage.records, [{ reason: 'gone', bytes: 5, packets: 1, client_retransmits: 0 }])
  late()
  stage.end('a', 1)
  stage.rows('a', 2, 'tcp_flow', [client({ ...closed, bytes_sent: 0, segs_sent: 0 })])
  stage.end('a', 2)
  t.equal(sum(stage, 'delta_bytes'), 105)
  t.equal(sum(stage, 'delta_packets'), 10)
})

t.test('the collector stops: what waits for its other end, and what goes on, is recorded', async t => {
  const stage = pair()
  stage.rows('a', 1, 'tcp_flow', [
    client({ ...closed, bytes_sent: 1 }),
    client({ socket: 20, isn_local: 50 }),
  ])
  stage.end('a', 1)
  stage.rows('a', 2, 'tcp_update', [update(20, 1, { bytes_sent: 100 })])
  t.equal(stage.records.length, 0)
  stage.flows.close()
  t.match(
    stage.records.toSorted((a, b) => Number(b['bytes']) - Number(a['bytes'])),
    [
      { reason: 'end', reporter: 'both', bytes: 6 },
      { reason: 'active', client_socket: '14', bytes: 5 },
    ],
  )
  t.equal(stage.records.length, 2, 'what has not ended comes again')
  t.match(stage.batches, [{ id: { host: 'a', window: 1 }, time: 1e9 + 10 }])
})

t.test('a clock that was set back: the record a minute comes a minute later', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client()])
  stage.end('a', 0)
  stage.shift = -1e6
  for (let window = 1; window < 9; window++) {
    stage.rows('a', window, 'tcp_update', [update(7, 1, { bytes_sent: 10 })])
    stage.end('a', window)
  }
  t.match(stage.records, [{ reason: 'active', bytes: 75 }])
})

t.test('a host that is there and has nothing to tell keeps its conversations', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client()])
  for (let window = 0; window < 3; window++) {
    stage.now += 400_000
    stage.end('a', window)
  }
  t.equal(stage.ask().total, 1)
})
