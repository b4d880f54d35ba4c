import t from 'tap'
import { only } from '../../harness/only.ts'
import { CLIENT, carrying, SERVER, SERVICE, Told, update } from './given.ts'

const [A, B] = ['node-a', 'node-b']
/** Label of the window with this index. */
const at = (window: number) => 1e9 + window * 10

t.test('a conversation of two nodes is told once, with what each has counted', async t => {
  const told = new Told({ cluster: SERVICE })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...carrying(1000, 10, 190, 4) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(200, 5, 990, 9) })
  told.end(0, A, B)
  for (let window = 1; window < 6; window++) {
    told.rows(A, window, 'tcp_update', update(CLIENT, carrying(10, 1)))
    told.end(window, A, B)
  }
  t.same(told.aggregated, [], 'the active period is not over')
  told.rows(A, 6, 'tcp_update', update(CLIENT, carrying(10, 1)))
  told.end(6, A)
  t.same(told.aggregated, [], 'the window of the other node is waited for')
  told.end(6, B)
  only(t, told.aggregated, [
    {
      ...{ family: 4, protocol: 6, reason: 2, type: 2, state: 'ESTABLISHED', isIncomplete: false },
      source: { ip: '10.10.0.5', port: 44752 },
      destination: { ip: '10.10.1.7', port: 8080 },
      client: { pod: 'client-0', namespace: 'default', node: A },
      server: { pod: 'web-0', namespace: 'shop', node: B },
      service: { name: 'shop/web:http', ip: '10.96.0.10', port: 80 },
      ...{ start: 1e9 + 2, end: at(6) },
      total: { bytes: 1060, packets: 16, revBytes: 200, revPackets: 5 },
      since: { bytes: 1060, packets: 16, revBytes: 200, revPackets: 5 },
      fromSource: { total: { bytes: 1060, packets: 16, revBytes: 190, revPackets: 4 } },
      fromDestination: { total: { bytes: 990, packets: 9, revBytes: 200, revPackets: 5 } },
    },
  ])
  told.rows(A, 7, 'tcp_flow', { ...CLIENT, ...carrying(5, 1), state: 7, closed_ns: 80e9 })
  told.rows(B, 7, 'tcp_flow', { ...SERVER, ...carrying(0, 1, 5, 1), state: 7, closed_ns: 80e9 })
  told.end(7, A, B)
  told.end(8, A, B)
  t.equal(told.aggregated.length, 2)
  t.match(told.aggregated[1], {
    ...{ reason: 3, state: 'CLOSE', end: 1e9 + 80, seconds: 80 - 60 },
    total: { bytes: 1065, packets: 17, revBytes: 200, revPackets: 6 },
    since: { bytes: 5, packets: 1, revBytes: 0, revPackets: 1 },
    fromSource: { since: { bytes: 5, packets: 1, revBytes: 0, revPackets: 0 } },
    fromDestination: { since: { bytes: 5, packets: 1, revBytes: 0, revPackets: 1 } },
  })
  t.equal(told.stage.flows.store.table.size, 0)
})

t.test('an exporter tells of its own pods: a half from each node', async t => {
  const told = new Told({ cluster: SERVICE })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...carrying(1000, 10, 190, 4) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(200, 5, 990, 9) })
  told.end(0, A, B)
  told.silence(1, 2, A, B)
  const nothing = { pod: '', namespace: '', node: '' }
  only(t, told.exported, [
    {
      ...{ node: A, reason: 1, type: 2, destination: { ip: '10.10.1.7', port: 8080 } },
      ...{ client: { pod: 'client-0', node: A }, server: nothing },
      total: { bytes: 1000, packets: 10, revBytes: 190, revPackets: 4 },
      service: { name: 'shop/web:http' },
    },
    {
      ...{ node: B, reason: 1, type: 2, source: { ip: '10.10.0.5', port: 44752 } },
      ...{ client: nothing, server: { pod: 'web-0', node: B } },
      total: { bytes: 990, packets: 9, revBytes: 200, revPackets: 5 },
    },
  ])
})

t.test('on one node it is one record, complete, from the exporter as well', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }, SERVER)
  told.end(0, A)
  told.silence(1, 2, A)
  const whole = { type: 1, client: { pod: 'client-0', node: A }, server: { pod: 'web-0', node: A } }
  only(t, told.exported, [whole])
  only(t, told.aggregated, [whole])
})

t.test('a flow becomes idle once, and again only after it has carried something', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '192.0.2.9', ...carrying(1, 1) })
  told.end(0, A)
  told.end(1, A)
  t.same(told.exported, [])
  told.silence(2, 12, A)
  only(t, told.exported, [{ reason: 1, type: 3, end: 1e9 + 2, since: { bytes: 1 } }])
  told.rows(A, 13, 'tcp_update', update(CLIENT, carrying(4, 1)))
  told.end(13, A)
  t.match(
    told.exported[1],
    { reason: 2, total: { bytes: 5 }, since: { bytes: 4 } },
    'longer ago than a period',
  )
  told.silence(14, 15, A)
  t.match(told.exported[2], { reason: 1, end: at(13), since: { bytes: 0 } })
  t.equal(told.exported.length, 3)
})

t.test('what has no pod is told when it is asked for', async t => {
  const row = { ...CLIENT, cgroup: 99, remote: '192.0.2.9' }
  for (const scope of ['pods', 'all'] as const) {
    const told = new Told({ scope })
    told.rows(A, 0, 'tcp_flow', row)
    told.end(0, A)
    told.silence(1, 2, A)
    t.equal(told.exported.length, scope === 'all' ? 1 : 0, scope)
    t.equal(told.aggregated.length, scope === 'all' ? 1 : 0, scope)
  }
})

t.test('UDP ends as idle, once, and has no state', async t => {
  const told = new Told()
  const row = { ...CLIENT, remote: '192.0.2.9', remote_port: 53, packets_sent: 3, bytes_sent: 90 }
  told.rows(A, 0, 'udp_flow', row)
  told.end(0, A)
  told.silence(1, 12, A)
  only(t, told.exported, [{ protocol: 17, reason: 1, state: '', type: 3, total: { bytes: 90, packets: 3 } }])
  only(t, told.aggregated, [{ protocol: 17, reason: 1 }])
  t.equal(told.stage.flows.store.table.size, 0)
})

t.test('a connection from outside is told by the node of its pod', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', { ...SERVER, remote: '192.0.2.9', ...carrying(7, 1, 3, 1) })
  told.end(0, B)
  told.silence(1, 2, B)
  const from = {
    type: 4,
    source: { ip: '192.0.2.9' },
    server: { pod: 'web-0' },
    total: { bytes: 3, revBytes: 7 },
  }
  only(t, told.exported, [from])
  only(t, told.aggregated, [{ ...from, isIncomplete: false }])
})

t.test('counters that begin again give no difference, not a huge one', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '192.0.2.9', ...carrying(100, 9) })
  told.end(0, A)
  told.silence(1, 2, A)
  const { store } = told.stage.flows
  const [flow] = [...store.ofRun([...store.runs][0]!)]
  const { NUMBER } = await import('../../../collector/flows/table/columns.ts')
  store.table.setNumber(flow!, NUMBER.BYTES_SENT, 3)
  told.rows(A, 9, 'tcp_update', update(CLIENT, carrying(1, 1)))
  told.end(9, A)
  t.match(told.exported[1], { total: { bytes: 4 }, since: { bytes: 0, packets: 1 } })
})

t.test('IPv6 goes out as IPv6, and IPv4 in an IPv6 socket as IPv4', async t => {
  const told = new Told()
  const six = { ...CLIENT, family: 10, local: 'fd00:10::5', remote: 'fd00:10::7' }
  const mapped = { ...CLIENT, socket: 8, family: 10, remote: '192.0.2.9', isn_local: 1 }
  told.rows(A, 0, 'tcp_flow', six, mapped)
  told.end(0, A)
  told.silence(1, 2, A)
  const families = told.exported.map(({ family, source, destination }) => [family, source.ip, destination.ip])
  t.same(families.sort(), [
    [4, '10.10.0.5', '192.0.2.9'],
    [6, 'fd00:10::5', 'fd00:10::7'],
  ])
})

t.test('the address of a node is one that another node has talked to', async t => {
  const told = new Told()
  const host = { cgroup: 99, remote: '198.51.100.2', local: '198.51.100.1', isn_local: 1 }
  told.rows(B, 0, 'tcp_flow', {
    ...SERVER,
    cgroup: 99,
    local: '198.51.100.2',
    remote: '198.51.100.1',
    isn_local: 9,
  })
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...host }, { ...CLIENT, socket: 8, remote: '192.0.2.9' })
  told.end(0, B, A)
  told.silence(1, 2, A, B)
  only(t, told.aggregated, [{ node: A, nodeAddress: '198.51.100.1', client: { pod: 'client-0' } }])
})

t.test('only the protocols that are wanted', async t => {
  const to = { remote: '192.0.2.9', remote_port: 53, local_port: 1 }
  for (const [protocols, count] of [
    [[], 2],
    [['udp'], 1],
    [['tcp', 'udp'], 2],
    [['sctp'], 0],
  ] as const) {
    const told = new Told({ protocols })
    told.rows(A, 0, 'udp_flow', { ...CLIENT, ...to, socket: 8, packets_sent: 3, bytes_sent: 90 })
    told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...to, ...carrying(1, 1) })
    told.end(0, A)
    told.silence(1, 12, A)
    for (const records of [told.exported, told.aggregated, told.proxied])
      t.equal(records.filter(({ reason }) => reason === 1).length, count, protocols.join())
  }
})
