import t from 'tap'
import { FLOW_EITHER } from '../../../wire/records.ts'
import { Stage } from './given.ts'

/** Initial sequence numbers; the last is next to the largest number. */
const PAIRS = [
  [1, 2],
  [3e9, 7],
  [0, 0xfffffffe],
] as const

const client = (isn: readonly [number, number], more = {}) => ({
  ...{
    socket: 7,
    role: 1,
    state: 1,
    family: 2,
    pid: 6,
    comm: 'curl',
    cgroup: 2,
    hierarchy: 1,
    opened_ns: 2e9,
  },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.9.0.1', remote_port: 80 },
  ...{ isn_local: isn[0], isn_remote: isn[1] },
  ...more,
})
const server = (isn: readonly [number, number], more = {}) => ({
  ...{
    socket: 8,
    role: 2,
    state: 1,
    family: 2,
    pid: 5,
    comm: 'nginx',
    cgroup: 1,
    hierarchy: 1,
    opened_ns: 9e9,
  },
  ...{ local: '10.1.0.1', local_port: 8080, remote: '10.2.0.2', remote_port: 50000 },
  ...{ isn_local: isn[1], isn_remote: isn[0] },
  ...more,
})
const BOTH = {
  reporter: 'both',
  source: { ip: '10.0.0.1', port: 40000 },
  asked: { ip: '10.9.0.1', port: 80 },
  answered: { ip: '10.1.0.1', port: 8080 },
  seenAs: { ip: '10.2.0.2', port: 50000 },
  client: { process: 'curl', containerName: 'shop' },
  server: { process: 'nginx', pod: 'web-0', namespace: 'shop' },
}

t.test('both ends of one connection, on one host or on two, in either order', async t => {
  for (const isn of PAIRS)
    for (const hosts of ['aa', 'ab'])
      for (const isServerFirst of [false, true]) {
        const stage = new Stage()
        const ends = [
          () => stage.rows(hosts[0]!, 0, 'tcp_flow', [client(isn)]),
          () => stage.rows(hosts[1]!, 0, 'tcp_flow', [server(isn)]),
        ]
        for (const tell of isServerFirst ? ends.toReversed() : ends) tell()
        for (const host of new Set(hosts)) stage.end(host, 0)
        const { flows, total } = stage.ask()
        t.equal(total, 1, `${isn} ${hosts} ${isServerFirst}`)
        t.match(flows, [
          { ...BOTH, client: { ...BOTH.client, host: hosts[0] }, server: { ...BOTH.server, host: hosts[1] } },
        ])
      }
})

t.test('connections that differ in one of the numbers have nothing to do with each other', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client([1, 2]), client([1, 3], { socket: 9 })])
  stage.rows('b', 0, 'tcp_flow', [
    server([2, 2]),
    server([4, 2], { socket: 9 }),
    server([1, 4], { socket: 10 }),
  ])
  t.equal(stage.ask().total, 5)
  t.ok(stage.ask().flows.every(({ reporter }) => reporter !== 'both'))
})

t.test('an end that is not told with its numbers is joined when they come', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client([0, 0], { state: 2 })])
  stage.rows('b', 0, 'tcp_flow', [server([5, 6])])
  t.equal(stage.ask().total, 2)
  stage.rows('a', 1, 'tcp_flow', [client([5, 6])])
  t.match(stage.ask().flows, [BOTH])
})

t.test('older than both probes: the partner tells who connected', async t => {
  const either = { flags: FLOW_EITHER | 1 }
  for (const isn of PAIRS) {
    // what was accepted is told with a number one too high, as if it had connected, whatever role it is thought to have
    const accepted = (role: number) => server(isn, { ...either, role, isn_local: (isn[1] + 1) >>> 0 })
    const connected = (role: number) => client(isn, { ...either, role })
    const cases = [
      [connected(2), server(isn)],
      [client(isn), accepted(1)],
      [connected(1), accepted(1)],
      [connected(2), accepted(2)],
      [connected(2), accepted(1)],
    ]
    for (const [at, rows] of cases.entries())
      for (const told of [rows, rows.toReversed()]) {
        const stage = new Stage()
        stage.rows('a', 0, 'tcp_flow', told)
        t.match(stage.ask().flows, [BOTH], `${isn} ${at}`)
        const { role, flags = 0 } = rows.find(({ socket }) => socket === 8)! as {
          role: number
          flags?: number
        }
        const update = { socket: 8, role, state: 1, pid: 5, cgroup: 1, hierarchy: 1, flags }
        stage.rows('a', 1, 'tcp_update', [update])
        t.match(stage.ask().flows, [BOTH], 'and so it stays')
      }
  }
})

t.test('opened at the same time by both: two clients', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client([1, 2])])
  stage.rows('b', 0, 'tcp_flow', [server([1, 2], { role: 1 })])
  t.match(stage.ask(), { total: 1, flows: [{ reporter: 'both' }] })
})

t.test(
  'two servers are no connection, and a socket that is connected to itself has no other end',
  async t => {
    const stage = new Stage()
    stage.rows('a', 0, 'tcp_flow', [server([1, 2]), server([2, 1], { socket: 9 }), client([3, 3])])
    t.equal(stage.ask().total, 3)
  },
)

t.test('a third socket with the same pair: no end is joined, and it is counted', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client([1, 2]), server([1, 2])])
  t.equal(stage.ask().total, 1)
  stage.rows('b', 0, 'tcp_flow', [client([1, 2])])
  t.equal(stage.ask().total, 3)
  t.ok(stage.ask().flows.every(({ ambiguous, reporter }) => ambiguous && reporter !== 'both'))
  t.equal(stage.flows.losses()['flows/ambiguous'], 3)
})

t.test('a probe that starts again tells of the sockets that are known: they are the same flows', async t => {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [client([1, 2], { bytes_sent: 5 })])
  stage.end('a', 0)
  stage.run = 'q'
  stage.rows('a', 0, 'tcp_flow', [client([1, 2], { bytes_sent: 7, flags: 1, opened_ns: 30e9 })])
  stage.end('a', 0)
  t.match(stage.ask(), { total: 1, flows: [{ total: { bytes: 12 } }] })
})
