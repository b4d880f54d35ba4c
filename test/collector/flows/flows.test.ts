import t from 'tap'
import { Problem } from '../../../collector/routes.ts'
import { Stage } from './given.ts'

const CLIENT = {
  ...{ socket: 7, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', cgroup: 2, hierarchy: 1, netns: 40 },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.9.0.1', remote_port: 80 },
  ...{ opened_ns: 2e9, established_ns: 2.001e9, rtt_us: 300, rtt_var_us: 20 },
}
const SERVER = {
  ...{ socket: 7, role: 2, state: 1, family: 2, pid: 5, comm: 'nginx', cgroup: 1, hierarchy: 1, netns: 50 },
  ...{ local: '10.1.0.1', local_port: 8080, remote: '10.0.0.1', remote_port: 40000 },
  ...{ opened_ns: 9e9, established_ns: 9e9 },
}

t.test('a flow is kept from its first row to its last', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, bytes_sent: 100, segs_sent: 2, bytes_rcvd: 5, segs_rcvd: 1 }])
  stage.end('a', 0)
  t.match(stage.ask().flows, [
    {
      ...{ protocol: 'tcp', reporter: 'client', state: 'ESTABLISHED', connectUs: 1000, seen: 1e9 },
      ...{ source: { ip: '10.0.0.1', port: 40000 }, asked: { ip: '10.9.0.1', port: 80 } },
      client: { host: 'a', pid: 6, process: 'curl', container: 'b', containerName: 'shop', rttUs: 300 },
      ...{ opened: 1e9 + 2, total: { bytes: 100, packets: 2, revBytes: 5, revPackets: 1 } },
    },
  ])
  const update = { socket: 7, role: 1, state: 1, pid: 6, cgroup: 2, hierarchy: 1 }
  stage.rows('a', 1, 'tcp_update', [{ ...update, bytes_sent: 50, segs_sent: 1, segs_resent: 3 }])
  stage.end('a', 1)
  t.match(stage.ask().flows, [
    {
      total: { bytes: 150, packets: 3, revBytes: 5 },
      window: { bytes: 50, packets: 1, revBytes: 0 },
      client: { retransmits: 3, windowRetransmits: 3 },
    },
  ])
  stage.rows('a', 2, 'tcp_flow', [{ ...CLIENT, state: 7, closed_ns: 30e9, reported_ns: 20e9, bytes_sent: 1 }])
  t.match(stage.ask().flows, [{ state: 'CLOSE', closed: 1e9 + 30, total: { bytes: 151 } }])
  stage.end('a', 2)
  t.same(stage.ask().flows, [])
  t.equal(stage.flows.store.table.size, 0)
  t.match(stage.records, [
    { reason: 'end', state: 'CLOSE', client_process: 'curl', asked_port: 80, bytes: 151, delta_bytes: 151 },
  ])
})

t.test('questions', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [CLIENT, { ...SERVER, socket: 8 }])
  stage.end('a', 0)
  const total = (query: string) => stage.ask(query).total
  t.equal(total(''), 2)
  t.equal(total('pod=web-0'), 1)
  t.equal(total('pod=shop/web-0&process=nginx'), 1)
  t.equal(total('pod=shop/web-0&process=curl'), 0)
  t.equal(total('container=shop'), 1)
  t.equal(total(`container=${'a'.repeat(12)}`), 1)
  t.equal(total('with=pod/web-0'), 1)
  t.equal(total('peer=10.0.0.1'), 2)
  t.equal(total('pod=web-0&peer=10.0.0.1'), 1)
  t.equal(total('pod=web-0&peer=10.9.0.1'), 0)
  t.equal(total('peer=unknown'), 2)
  t.equal(total('port=80'), 1)
  t.equal(total('port=8080&state=established&protocol=tcp'), 1)
  for (const wrong of ['x=1', 'port=0', 'with=web', 'sort=x', 'limit=a', 'protocol=sctp'])
    t.throws(() => stage.ask(wrong), Problem, wrong)
})

t.test('a conversation that is silent carries nothing in the last window', async t => {
  const stage = new Stage()
  const busy = { bytes_sent: 100, segs_sent: 2, bytes_rcvd: 5, segs_rcvd: 1, segs_resent: 1 }
  const datagrams = { ...CLIENT, socket: 9, bytes_sent: 50, packets_sent: 1 }
  stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, ...busy }])
  stage.rows('a', 0, 'udp_flow', [datagrams])
  const windows = () =>
    stage
      .ask('sort=bytes')
      .flows.map(({ protocol, window, seen, client }) => [
        ...[protocol, window.bytes, window.packets, window.revBytes, seen - 1e9, client?.windowRetransmits],
      ])
  const talked = [
    ['tcp', 100, 2, 5, 0, 1],
    ['udp', 50, 1, 0, 0, 0],
  ]
  stage.end('a', 0)
  t.same(windows(), talked)
  stage.rows('a', 1, 'tcp_flow', [{ ...CLIENT, socket: 20, bytes_sent: 7, segs_sent: 1 }])
  t.same(windows(), [...talked, ['tcp', 7, 1, 0, 0, 0]], 'the window goes on')
  stage.end('a', 1)
  t.same(windows(), [
    ['tcp', 7, 1, 0, 10, 0],
    ['tcp', 0, 0, 0, 0, 0],
    ['udp', 0, 0, 0, 0, 0],
  ])
  t.match(stage.ask('protocol=udp').flows, [{ total: { bytes: 50 } }], 'the total stays')
})
