/** Whose probe is waited for, and whose is not: who could tell has told already, or is behind. */

import t from 'tap'
import type { Held } from '../../../../collector/cluster/held/held.ts'
import type { IpfixRecord } from '../../../../collector/ipfix/record/record.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import { node, type PortGiven, pod, service, slice } from '../../../harness/kubernetes/objects.ts'
import { only } from '../../../harness/only.ts'
import { held, type Row } from '../../flows/given.ts'
import { CLIENT, carrying, SERVER, Told, update } from '../given.ts'

const [A, B, C] = ['node-a', 'node-b', 'node-c']
const ENDED = { state: 7, closed_ns: 8e9 }

const DIRECT = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
/** A conversation of another socket: its probe is known. */
const OTHER = { ...SERVER, socket: 77, remote: '192.0.2.9', isn_local: 5, isn_remote: 6 }
/** Records of the other conversation are left out. */
const ofClient = (told: Told) => told.aggregated.filter(({ source }) => source.ip === '10.10.0.5')

const facts = (...more: Thing[]): Held =>
  held(
    node(A, '192.168.0.1', { podCIDR: '10.10.0.0/24' }),
    node(B, '192.168.0.2', { podCIDR: '10.10.1.0/24' }),
    pod({ name: 'client-0', uid: 'u1', ip: '10.10.0.5', node: A }),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: B }),
    ...more,
  )
const answered = (name: string, ip: string, by: readonly string[], port: PortGiven, more = {}): Thing[] => [
  service(name, ip, [{ name: 'p', ...port }], more),
  slice(`${name}-x`, name, by, [{ name: 'p', port: 6443 }]),
]

/** The first record of a connection that goes on, while every probe tells of its windows. */
function first(told: Told, row: Row): { readonly record: IpfixRecord | undefined; readonly window: number } {
  told.rows(A, 0, 'tcp_flow', { ...row, ...carrying(10, 1) })
  told.end(0, A, B)
  let window = 0
  while (window++ < 30 && told.aggregated.length === 0) {
    told.rows(A, window, 'tcp_update', update(row, carrying(1, 1)))
    told.end(window, A, B)
  }
  return { record: told.aggregated[0], window: window - 1 }
}

t.test('a Service that no pod answers for is elsewhere, and nobody is waited for', async t => {
  const kubernetes = answered('kubernetes', '10.96.0.1', ['203.0.113.5'], { port: 443 })
  for (const [what, things, row, type] of [
    ['outside of the cluster', kubernetes, { remote: '10.96.0.1', remote_port: 443 }, 3],
    [
      'on the network of a node',
      answered('ingress', '10.96.0.2', ['192.168.0.2'], { port: 80 }),
      { remote: '10.96.0.2', remote_port: 80 },
      3,
    ],
    [
      'by the address of a load balancer',
      answered('lb', '10.96.0.3', ['203.0.113.5'], { port: 80 }, { externalIPs: ['198.51.100.3'] }),
      { remote: '198.51.100.3', remote_port: 80 },
      3,
    ],
    [
      'by a port of a node',
      answered('np', '10.96.0.4', ['10.10.1.7'], { port: 80, nodePort: 30_080 }),
      { remote: '192.168.0.2', remote_port: 30_080 },
      2,
    ],
    [
      'of which nobody says who answers',
      [service('empty', '10.96.0.5', [{ port: 80 }])],
      { remote: '10.96.0.5', remote_port: 80 },
      2,
    ],
  ] as const) {
    const told = new Told({ cluster: facts(...things) })
    const { record, window } = first(told, { ...CLIENT, ...row })
    t.match(record, { type, isIncomplete: false, reason: 2, service: { port: /\d+/ } }, what)
    t.equal(window, 6, `${what}: after the active period`)
    t.same([told.aggregated.length, told.aggregator.incomplete], [1, 0])
  }
})

t.test('a connection that was refused, or never answered, is all that there is of it', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  const unanswered = { ...CLIENT, remote: '10.10.1.7', isn_remote: 0, isn_local: 0, established_ns: 0 }
  told.rows(A, 1, 'tcp_flow', { ...unanswered, ...ENDED })
  told.silence(1, 3, A, B)
  only(t, ofClient(told), [{ isIncomplete: false, server: { pod: 'web-0', node: B }, reason: 3 }])
  t.same([told.aggregator.held, told.aggregator.incomplete], [0, 0])
})

t.test('who comes by the address of a node is from elsewhere, and nobody is waited for', async t => {
  const told = new Told({ cluster: facts() })
  const host = { socket: 50, cgroup: 99, local: '192.168.0.1', local_port: 5, isn_local: 1, isn_remote: 2 }
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...host, remote: '192.168.0.2', remote_port: 5556 })
  told.end(0, A, B)
  // outside → a port of node-a → the pod on node-b, which sees node-a
  const masqueraded = { ...SERVER, remote: '192.168.0.1', remote_port: 33_333 }
  told.rows(B, 1, 'tcp_flow', { ...masqueraded, ...carrying(7, 1, 3, 1) })
  told.silence(1, 3, A, B)
  only(t, told.aggregated, [
    { type: 4, isIncomplete: false, source: { ip: '192.168.0.1' }, client: { pod: '', node: '' } },
  ])
  t.equal(told.aggregator.incomplete, 0)
})

t.test('the two halves of datagrams to a Service are one record, and complete', async t => {
  const dns = service('dns', '10.96.0.53', [{ name: 'dns', port: 53, protocol: 'UDP' }])
  const told = new Told({ cluster: facts(dns) })
  const common = { family: 2, hierarchy: 1, opened_ns: 1e9, packets_sent: 1, packets_rcvd: 1 }
  const asks = { socket: 7, role: 1, pid: 6, cgroup: 1, netns: 40, local: '10.10.0.5', local_port: 5000 }
  const answers = { socket: 9, role: 2, pid: 5, cgroup: 2, netns: 50, local: '10.10.1.7', local_port: 53 }
  told.rows(A, 0, 'udp_flow', { ...common, ...asks, remote: '10.96.0.53', remote_port: 53, bytes_sent: 40 })
  told.rows(B, 0, 'udp_flow', {
    ...common,
    ...answers,
    remote: '10.10.0.5',
    remote_port: 5000,
    bytes_sent: 90,
  })
  told.silence(0, 12, A, B)
  only(t, told.aggregated, [
    { isIncomplete: false, service: { name: 'default/dns:dns' }, client: { pod: 'client-0' } },
  ])
  t.same([told.aggregator.held, told.aggregator.incomplete], [0, 0])
})

t.test('a short connection whose ends are in two windows, as clocks differ, is one record', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...DIRECT, ...carrying(10, 1, 4, 1), ...ENDED })
  told.end(1, A, B)
  told.rows(B, 2, 'tcp_flow', { ...SERVER, ...carrying(5, 2, 10, 1), ...ENDED })
  told.end(2, B)
  told.end(2, A)
  told.silence(3, 5, A, B)
  only(t, ofClient(told), [
    {
      isIncomplete: false,
      type: 2,
      fromSource: { total: { bytes: 10 } },
      fromDestination: { total: { revBytes: 5 } },
    },
  ])
})

t.test('one that the other node has nothing of is complete when its windows have passed', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...DIRECT, ...carrying(10, 1), ...ENDED })
  told.silence(1, 5, A, B)
  only(t, ofClient(told), [{ isIncomplete: false, reason: 3, fromDestination: undefined }])
  t.same([told.aggregator.held, told.aggregator.incomplete], [0, 0])
})

t.test('a probe that is gone has told nothing: what waits for it stays incomplete', async t => {
  const told = new Told({ cluster: facts() })
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...DIRECT, ...carrying(10, 1), ...ENDED })
  told.silence(1, 6, A)
  t.equal(told.aggregator.held, 1)
  told.stage.leave(B)
  told.silence(7, 24, A)
  only(t, ofClient(told), [{ isIncomplete: true, reason: 3 }])
})

t.test('a probe that has caught up is not waited for because another one is silent', async t => {
  const told = new Told({ cluster: facts(node(C, '192.168.0.3')) })
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.rows(C, 0, 'tcp_flow', { ...OTHER, local: '10.10.2.7' })
  told.end(0, A, B, C)
  told.rows(A, 1, 'tcp_flow', { ...DIRECT, ...carrying(10, 1) })
  told.silence(1, 8, A)
  t.same(ofClient(told), [], 'node-b is behind')
  told.silence(1, 8, B)
  told.rows(A, 9, 'tcp_update', update(DIRECT, carrying(10, 1)))
  told.end(9, A)
  only(t, ofClient(told), [{ isIncomplete: false, server: { pod: 'web-0' } }])
})

t.test('a probe that is silent for long already delays nobody', async t => {
  const told = new Told({ cluster: facts(...answered('web', '10.96.0.1', ['10.10.1.7'], { port: 443 })) })
  told.rows(C, 0, 'tcp_flow', { ...OTHER, local: '10.10.2.9' })
  told.end(0, A, B, C)
  told.silence(1, 30, A, B)
  const row = { ...CLIENT, remote: '10.96.0.1', remote_port: 443, opened_ns: 302e9 }
  told.rows(A, 31, 'tcp_flow', { ...row, ...carrying(10, 1) })
  told.end(31, A, B)
  let window = 31
  while (window++ < 60 && ofClient(told).length === 0) {
    told.rows(A, window, 'tcp_update', update(row, carrying(1, 1)))
    told.end(window, A, B)
  }
  t.equal(window - 1 - 31, 6, 'after the active period')
})
