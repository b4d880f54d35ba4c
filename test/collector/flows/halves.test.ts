/** Conversations whose ends come one after the other, or never together: each counts once. */

import t from 'tap'
import { mapOf } from '../../../collector/page/talk/map.ts'
import type { WindowNames } from '../../../wire/message.ts'
import { FLOW_PREDATES } from '../../../wire/records.ts'
import { node, pod, service, slice } from '../../harness/kubernetes/objects.ts'
import { held, type Row, Stage } from './given.ts'

const NAMES: WindowNames = {
  cgroups: { '1:1': 'c'.repeat(64), '1:2': 'd'.repeat(64) },
  containers: {
    ['c'.repeat(64)]: { runtime: 'cri', name: 'client', pod: 'u1' },
    ['d'.repeat(64)]: { runtime: 'cri', name: 'web', pod: 'u2' },
  },
  pods: { u1: { name: 'client-0', namespace: 'shop' }, u2: { name: 'web-0', namespace: 'shop' } },
  running: [],
  processes: {},
}
const port = (port: number) => [
  { name: 'tcp', port },
  { name: 'udp', port, protocol: 'UDP' },
]
const FACTS = [
  node('a', '192.168.0.1', { podCIDR: '10.0.0.0/24' }),
  node('b', '192.168.0.2', { podCIDR: '10.0.1.0/24' }),
  pod({ name: 'client-0', namespace: 'shop', uid: 'u1', ip: '10.0.0.5', node: 'a' }),
  pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.0.1.7', node: 'b' }),
  service('web', '10.96.0.7', port(80), {}, 'shop'),
  slice('web-x', 'web', ['10.0.1.7'], port(8080), 'shop'),
]
const ISN = { isn_local: 5, isn_remote: 9 }
const CLOSED = { state: 7, closed_ns: 8e9 }
const COMMON = { state: 1, family: 2, hierarchy: 1, opened_ns: 2e9 }
const CLIENT: Row = {
  ...{ ...COMMON, socket: 7, role: 1, pid: 6, comm: 'curl', cgroup: 1, netns: 40 },
  ...{ local: '10.0.0.5', local_port: 40000, remote: '10.96.0.7', remote_port: 80 },
  ...{ bytes_sent: 1000, bytes_rcvd: 200 },
}
const SERVER: Row = {
  ...{ ...COMMON, socket: 9, role: 2, pid: 5, comm: 'nginx', cgroup: 2, netns: 50 },
  ...{ local: '10.0.1.7', local_port: 8080, remote: '10.0.0.5', remote_port: 40000 },
  ...{ bytes_sent: 200, bytes_rcvd: 1000 },
}
const TCP = { client: { ...CLIENT, ...ISN }, server: { ...SERVER, isn_local: 9, isn_remote: 5 } }
const UDP = { client: CLIENT, server: SERVER }
const stageOf = () => new Stage(1000, { flows: false, metrics: ['service', 'node'], facts: held(...FACTS) })

/** A connection of each pod to somebody else: their addresses are known. */
function learn(stage: Stage, hosts = ['a', 'b']): void {
  const away = { remote: '192.0.2.9', remote_port: 443, isn_local: 1, isn_remote: 2 }
  const rows: Record<string, Row> = {
    a: { ...CLIENT, socket: 90, ...away },
    b: {
      ...CLIENT,
      socket: 91,
      cgroup: 2,
      netns: 50,
      local: '10.0.1.7',
      ...away,
      isn_local: 3,
      isn_remote: 4,
    },
  }
  for (const host of hosts) stage.rows(host, 0, 'tcp_flow', [rows[host]!], NAMES)
  for (const host of ['a', 'b']) stage.end(host, 0, NAMES)
}

/** `by bytes rev_bytes flows` of each row of each window, in order. */
function services(stage: Stage, window: number, ...order: (readonly [string, string, Row | undefined])[]) {
  return order.flatMap(([host, record, row]) => {
    if (row) stage.rows(host, window, record, [row], NAMES)
    const rows = stage.end(host, window, NAMES)?.service ?? []
    return rows.map(({ tags, numbers: { bytes, rev_bytes, flows } }) =>
      [tags['by'], bytes, rev_bytes, flows].join(' '),
    )
  })
}

for (const [record, { client, server }] of [
  ['tcp_flow', TCP],
  ['udp_flow', UDP],
] as const) {
  const [fromClient, fromServer] = [
    ['a', record, { ...client, ...CLOSED }],
    ['b', record, { ...server, ...CLOSED }],
  ] as const
  t.test(`${record}: opened and closed in one window, it counts at its client`, async t => {
    for (const order of [
      [fromClient, fromServer],
      [fromServer, fromClient],
    ] as const) {
      const stage = stageOf()
      learn(stage)
      t.same(services(stage, 1, ...order), ['address 1000 200 1'], order.map(([host]) => host).join())
    }
  })
}

t.test('a client that was never heard of before: its server counts, and it does not', async t => {
  const stage = stageOf()
  learn(stage, ['b'])
  const found = services(stage, 1, ['b', 'tcp_flow', TCP.server], ['a', 'tcp_flow', TCP.client])
  t.same(found, ['endpoint 1000 200 1'])
  const [more, back] = [
    { bytes_sent: 10, bytes_rcvd: 3 },
    { bytes_sent: 3, bytes_rcvd: 10 },
  ]
  const later = services(
    stage,
    2,
    ['b', 'tcp_flow', { ...TCP.server, ...back }],
    ['a', 'tcp_flow', { ...TCP.client, ...more }],
  )
  t.same(later, ['address 10 3 1'], 'from the next window on it counts at its client')
})

t.test('the place of a flow that is over is not taken for it', async t => {
  const stage = stageOf()
  learn(stage, ['b'])
  t.same(services(stage, 1, ['b', 'tcp_flow', { ...TCP.server, ...CLOSED }]), ['endpoint 1000 200 1'])
  for (let window = 2; window < 20; window++) {
    stage.now += 10_000
    for (const host of ['a', 'b']) stage.end(host, window, NAMES)
  }
  const [next, other] = [
    { socket: 17, isn_local: 50, isn_remote: 90, opened_ns: 195e9 },
    { socket: 19, isn_local: 90, isn_remote: 50, opened_ns: 195e9 },
  ]
  const found = services(
    stage,
    20,
    ['a', 'tcp_flow', { ...TCP.client, ...next }],
    ['b', 'tcp_flow', { ...TCP.server, ...other }],
  )
  t.same(found, ['address 1000 200 1'])
})

t.test('whoever no probe watches counts at the server', async t => {
  for (const remote of ['203.0.113.5', '10.0.0.99', '192.168.0.1']) {
    const stage = stageOf()
    learn(stage)
    // of a node whose own sockets are watched: somebody else may be masqueraded there
    stage.rows('a', 1, 'tcp_flow', [{ ...CLIENT, socket: 92, local: '192.168.0.1', netns: 1, ...ISN }], NAMES)
    t.same(
      services(stage, 1, ['b', 'tcp_flow', { ...SERVER, remote, isn_local: 7, isn_remote: 8 }]),
      ['endpoint 1000 200 1'],
      remote,
    )
  }
})

t.test('one that is joined before a window ends counts once, at its client', async t => {
  const stage = stageOf()
  stage.rows('b', 0, 'tcp_flow', [TCP.server], NAMES)
  stage.rows('a', 0, 'tcp_flow', [TCP.client], NAMES)
  t.same(services(stage, 0, ['b', 'tcp_flow', undefined], ['a', 'tcp_flow', undefined]), [
    'address 1000 200 1',
  ])
})

t.test('without facts, a pod of another host is no outside', async t => {
  const scopes = (stage: Stage, host: string, row: Row) => {
    stage.rows(host, 1, 'tcp_flow', [row], NAMES)
    return stage.end(host, 1, NAMES)?.node?.map(({ tags }) => tags['scope'])
  }
  for (const [remote, scope] of [
    ['10.0.0.5', 'inter'],
    ['192.0.2.9', 'external'],
    ['203.0.113.5', 'external'],
  ]) {
    const stage = new Stage(1000, { flows: false, metrics: ['node'] })
    learn(stage)
    t.same(scopes(stage, 'b', { ...TCP.server, ...CLOSED, remote: remote! }), [scope!], remote!)
  }
})

t.test('totals do not go back when the probe of the sender starts later', async t => {
  const stage = new Stage()
  const total = () => stage.ask('namespace=shop').flows.find(({ protocol }) => protocol === 'tcp')?.total
  const server = { ...TCP.server, bytes_sent: 5000, bytes_rcvd: 1_000_000, segs_sent: 50, segs_rcvd: 1000 }
  stage.rows('b', 0, 'tcp_flow', [server], NAMES)
  stage.end('b', 0, NAMES)
  t.match(total(), { bytes: 1_000_000, packets: 1000, revBytes: 5000, revPackets: 50 })
  const late = { bytes_sent: 60, bytes_rcvd: 7, segs_sent: 3, segs_rcvd: 1, flags: FLOW_PREDATES }
  stage.rows('a', 1, 'tcp_flow', [{ ...TCP.client, ...late }], NAMES)
  stage.end('a', 1, NAMES)
  const [{ reporter, partial } = {}] = stage.ask('namespace=shop').flows
  t.match({ reporter, partial }, { reporter: 'both', partial: true })
  t.match(total(), { bytes: 1_000_000, packets: 1000, revBytes: 5000, revPackets: 50 })
  stage.rows(
    'b',
    1,
    'tcp_flow',
    [{ ...server, bytes_sent: 0, segs_sent: 0, bytes_rcvd: 60, segs_rcvd: 3 }],
    NAMES,
  )
  stage.end('b', 1, NAMES)
  t.match(total(), { bytes: 1_000_060, packets: 1003, revBytes: 5000, revPackets: 50 })
})

t.test('the page has a datagram through a Service once', async t => {
  const stage = stageOf()
  learn(stage)
  stage.rows('a', 1, 'udp_flow', [UDP.client], NAMES)
  stage.rows('b', 1, 'udp_flow', [UDP.server], NAMES)
  for (const host of ['a', 'b']) stage.end(host, 1, NAMES)
  const { kinds } = await mapOf(stage.flows, new URLSearchParams('by=pod&to=pods&pod=web-0'))
  t.same(Object.keys(kinds!), ['external'], 'the half of the server is that of the client')
  const all = await mapOf(stage.flows, new URLSearchParams('by=pod&to=pods'))
  t.match(all.kinds, { service: { flows: 1, bytes: 1000 }, external: { flows: 2 }, pod: undefined })
})
