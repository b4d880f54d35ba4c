import t from 'tap'
import { Stage } from './given.ts'

const client = (more = {}) => ({
  ...{
    socket: 7,
    role: 1,
    family: 2,
    pid: 6,
    comm: 'dig',
    cgroup: 2,
    hierarchy: 1,
    netns: 40,
    opened_ns: 2e9,
  },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.1.0.1', remote_port: 53 },
  ...{ bytes_sent: 30, packets_sent: 1, bytes_rcvd: 90, packets_rcvd: 1 },
  ...more,
})
const server = (more = {}) => ({
  ...{
    socket: 8,
    role: 2,
    family: 2,
    pid: 5,
    comm: 'coredns',
    cgroup: 1,
    hierarchy: 1,
    netns: 50,
    opened_ns: 2e9,
  },
  ...{ local: '0.0.0.0', local_port: 53, remote: '10.0.0.1', remote_port: 40000 },
  ...{ bytes_sent: 90, packets_sent: 1, bytes_rcvd: 30, packets_rcvd: 1 },
  ...more,
})
/** A TCP connection of the server's namespace: the address is its own. */
const owner = (more = {}) => ({
  ...{ socket: 99, role: 2, state: 1, family: 2, netns: 50, opened_ns: 1e9, isn_local: 1, isn_remote: 2 },
  ...{ local: '10.1.0.1', local_port: 8181, remote: '10.0.0.9', remote_port: 1 },
  ...more,
})

const udp = (stage: Stage) => stage.ask('protocol=udp')

t.test("two ends, when the address that was asked is known to be the server's", async t => {
  for (const hosts of ['aa', 'ab']) {
    const stage = new Stage()
    stage.rows(hosts[0]!, 0, 'udp_flow', [client()])
    stage.rows(hosts[1]!, 0, 'udp_flow', [server()])
    t.equal(udp(stage).total, 2, 'nobody knows whose address it is')
    stage.rows(hosts[1]!, 0, 'tcp_flow', [owner()])
    stage.rows(hosts[1]!, 1, 'udp_flow', [server()])
    t.match(udp(stage), {
      total: 1,
      flows: [
        {
          reporter: 'both',
          client: { process: 'dig' },
          server: { process: 'coredns' },
          total: { bytes: 30 },
        },
      ],
    })
  }
})

t.test('an address that two namespaces have, or another one, joins nothing', async t => {
  for (const owners of [[owner({ netns: 51 })], [owner(), owner({ socket: 98, netns: 51, isn_local: 5 })]]) {
    const stage = new Stage()
    stage.rows('b', 0, 'tcp_flow', owners)
    stage.rows('a', 0, 'udp_flow', [client()])
    stage.rows('b', 0, 'udp_flow', [server()])
    t.equal(udp(stage).total, 2)
  }
})

t.test('of one machine is meant what it has itself', async t => {
  const stage = new Stage()
  for (const host of ['a', 'b']) {
    stage.rows(host, 0, 'tcp_flow', [owner()])
    stage.rows(host, 0, 'udp_flow', [client(), server()])
  }
  const { flows } = udp(stage)
  t.same(flows.map(({ client, server }) => [client?.host, server?.host]).sort(), [
    ['a', 'a'],
    ['b', 'b'],
  ])
})

t.test('loopback is within a namespace', async t => {
  const stage = new Stage()
  const local = { local: '127.0.0.1', remote: '127.0.0.1', netns: 50 }
  stage.rows('a', 0, 'udp_flow', [client(local), server({ ...local, local: '0.0.0.0' })])
  t.equal(udp(stage).total, 1)
  const other = new Stage()
  other.rows('a', 0, 'udp_flow', [client(local), server({ ...local, netns: 51 })])
  t.equal(udp(other).total, 2)
})

t.test('two clients of one address and port: the server talks to both, and neither is joined', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [owner()])
  stage.rows('a', 0, 'udp_flow', [client(), server(), client({ socket: 9 })])
  t.equal(udp(stage).total, 3)
  t.ok(udp(stage).flows.every(({ ambiguous }) => ambiguous))
})

t.test('a receiver that never asks for names', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'udp_flow', [server({ remote: '0.0.0.0', remote_port: 0 })])
  t.match(udp(stage).flows, [{ reporter: 'server', unnamed: true }])
})

t.test('it ends after a minute without a datagram, and may begin again', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'udp_flow', [client()])
  for (let window = 0; window < 7; window++) stage.end('a', window)
  t.match(stage.records, [{ protocol: 'udp', reason: 'end', bytes: 30 }])
  stage.rows('a', 7, 'udp_flow', [client({ reported_ns: 60e9 })])
  for (let window = 7; window < 14; window++) stage.end('a', window)
  t.equal(new Set(stage.records.map(({ id }) => id)).size, 2)
})
