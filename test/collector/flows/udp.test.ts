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

/** How often rows of the table are read meanwhile. */
function readsOf(stage: Stage, work: () => void): number {
  const { table } = stage.flows.store
  const word = table.word.bind(table)
  let reads = 0
  table.word = (flow, at) => {
    reads++
    return word(flow, at)
  }
  work()
  table.word = word
  return reads
}

const MANY = 20_000
const addressOf = (at: number) => `10.${50 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`
const ALIKE = { local_port: 7946, remote_port: 7946 }

t.test('many conversations with one pair of ports: the work grows with their number alone', async t => {
  const kinds = {
    'a server and unwatched clients': (at: number) => [
      { host: 'b', row: server({ ...ALIKE, remote: addressOf(at) }) },
    ],
    'a client and unwatched servers': (at: number) => [
      { host: 'a', row: client({ ...ALIKE, remote: addressOf(at) }) },
    ],
    'sockets of one port, one after the other': (at: number) => [
      { host: 'a', row: client({ ...ALIKE, socket: at, closed_ns: 3e9 }) },
    ],
  }
  for (const [what, flowsOf] of Object.entries(kinds)) {
    const stage = new Stage(2 * MANY)
    stage.rows('b', 0, 'tcp_flow', [owner()])
    const all = Array.from({ length: MANY }, (_, at) => flowsOf(at)).flat()
    const rows = (host: string) => all.filter(one => one.host === host).map(({ row }) => row)
    const work = () => {
      for (const host of ['a', 'b']) stage.rows(host, 0, 'udp_flow', rows(host))
      for (let window = 0; window < 10; window++) for (const host of ['a', 'b']) stage.end(host, window)
    }
    t.ok(readsOf(stage, work) < MANY * 300, what)
    t.equal(udp(stage).total, 0, 'all have ended')
    t.equal(stage.records.length, MANY)
    t.equal(stage.flows.losses()['flows/ambiguous'], 0)
  }
})

t.test(
  'one server and many clients of one port, each in a namespace of its own, find each other',
  async t => {
    for (const local of ['0.0.0.0', undefined]) {
      const stage = new Stage(4 * MANY)
      stage.rows('b', 0, 'tcp_flow', [owner()])
      const of = (one: (at: number) => object, first = 0) =>
        Array.from({ length: MANY }, (_, at) => one(first + at)) as Record<string, number | string>[]
      const netns = (at: number) => ({ netns: 1000 + at })
      const work = () => {
        stage.rows(
          'a',
          0,
          'tcp_flow',
          of(at => owner({ ...netns(at), socket: 9e5 + at, local: addressOf(at), isn_local: 1000 + at })),
        )
        stage.rows(
          'b',
          0,
          'udp_flow',
          of(at => server({ ...ALIKE, remote: addressOf(at) })),
        )
        stage.rows(
          'a',
          0,
          'udp_flow',
          of(at => client({ ...ALIKE, ...netns(at), socket: 1000 + at, local: local ?? addressOf(at) })),
        )
      }
      t.ok(readsOf(stage, work) < MANY * 500)
      const { total, flows } = stage.ask('protocol=udp&limit=10000')
      t.equal(total, MANY)
      t.ok(flows.every(({ client, answered, seenAs, source }) => client && answered && (seenAs ?? source)))
      const wrong = flows.filter(
        ({ client, seenAs, source }) => (seenAs ?? source).ip !== addressOf(client!.netns - 1000),
      )
      t.same(wrong, [])
    }
  },
)

t.test('two sockets that are bound to no address', async t => {
  const stage = new Stage()
  stage.rows('b', 0, 'tcp_flow', [owner()])
  stage.rows('a', 0, 'tcp_flow', [owner({ netns: 40, local: '10.0.0.1', socket: 98 })])
  stage.rows('b', 0, 'udp_flow', [server()])
  stage.rows('a', 0, 'udp_flow', [client({ local: '0.0.0.0' })])
  t.equal(udp(stage).total, 1)
  stage.rows('a', 1, 'udp_flow', [client({ local: '0.0.0.0', socket: 9 })])
  t.ok(
    udp(stage).flows.every(({ ambiguous }) => ambiguous),
    'another one could be meant',
  )
  t.equal(udp(stage).total, 3)
})

t.test('too many sockets that could be meant: none is, and it is counted', async t => {
  const stage = new Stage()
  stage.rows('b', 0, 'tcp_flow', [owner()])
  const closed = Array.from({ length: 100 }, (_, at) => client({ socket: 100 + at, closed_ns: 3e9 }))
  stage.rows('a', 0, 'udp_flow', closed)
  stage.rows('b', 0, 'udp_flow', [server()])
  t.equal(stage.flows.losses()['flows/ambiguous'], 1)
})
