/** Nodes as ends of conversations, and what the cluster knows of pods that are watched. */

import t from 'tap'
import { Held } from '../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../collector/cluster/kinds.ts'
import { node, pod } from '../../harness/kubernetes/objects.ts'
import type { Row } from '../flows/given.ts'
import { CLIENT, carrying, SERVER, Told, update } from './given.ts'

const [A, B] = ['node-a', 'node-b']
const BEGAN = 1e12

function facts(): Held {
  const held = new Held()
  for (const thing of [
    node(A, '192.168.0.1'),
    node(B, '192.168.0.2'),
    pod({ name: 'client-0', uid: 'u1', ip: '10.10.0.5', node: A, labels: { app: 'client', tier: 'x' } }),
    pod({ name: 'web-0', namespace: 'shop', uid: 'u2', ip: '10.10.1.7', node: B, labels: {} }),
  ])
    held.set(thing['kind'] as Kind, thing, BEGAN)
  return held
}
const toldOf = (held: Held) => new Told({ cluster: held, flows: { facts: held } })

/** A connection of a host itself, out of any container. */
const own = (local: string, socket: number, remote: string): Row => ({
  ...{ socket, role: 1, state: 1, family: 2, pid: 9, comm: 'kubelet', cgroup: 99, hierarchy: 1, netns: 1 },
  ...{ local, local_port: 5000, remote, remote_port: 6443, opened_ns: 1e9, isn_local: socket, isn_remote: 8 },
})

t.test('labels are those of the cluster, else those that the probe gives, else not known', async t => {
  for (const [told, labels] of [
    [toldOf(facts()), [{ app: 'client', tier: 'x' }, {}]],
    [new Told(), [{ app: 'client' }, undefined]],
  ] as const) {
    told.rows(A, 0, 'tcp_flow', { ...CLIENT, ...carrying(10, 1) })
    told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(5, 1) })
    told.end(0, A, B)
    told.silence(1, 3, A, B)
    t.same(
      told.aggregated.map(({ client, server }) => [client.labels, server.labels]),
      [labels],
    )
  }
})

for (const [what, told] of [
  ['the cluster', toldOf(facts())],
  ['another node', new Told()],
] as const)
  t.test(`a client from outside, behind the NAT of a node that ${what} shows, is not waited for`, async t => {
    told.rows(A, 0, 'tcp_flow', own('192.168.0.1', 70, '192.168.0.2'))
    // where no cluster tells, a socket there has it
    told.rows(B, 0, 'tcp_flow', own('192.168.0.2', 71, '192.168.0.1'))
    told.end(0, A, B)
    told.end(1, A, B)
    told.rows(B, 2, 'tcp_flow', { ...SERVER, remote: '192.168.0.1', remote_port: 33_333, ...carrying(5, 1) })
    for (let window = 2; window < 9; window++) {
      if (window > 2) told.rows(B, window, 'tcp_update', update(SERVER, carrying(1, 1)))
      told.end(window, A, B)
    }
    t.match(
      told.aggregated.filter(({ server }) => server.pod === 'web-0'),
      [{ type: 4, isIncomplete: false, reason: 2, client: { pod: '' }, source: { ip: '192.168.0.1' } }],
    )
  })

t.test('a pod on the network of its node, which its probe tells of, is one', async t => {
  const told = toldOf(facts())
  // the container of client-0, with the address of node-a
  const client = { ...CLIENT, local: '192.168.0.1', remote: '10.10.1.7', remote_port: 8080 }
  told.rows(A, 0, 'tcp_flow', { ...client, ...carrying(10, 1) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, remote: '192.168.0.1', ...carrying(5, 1) })
  told.end(0, A, B)
  told.silence(1, 3, A, B)
  t.match(told.aggregated, [{ type: 2, client: { pod: 'client-0', node: A }, server: { pod: 'web-0' } }])
})

t.test('a node that gets another address is told of by that', async t => {
  const held = facts()
  const told = toldOf(held)
  told.rows(A, 0, 'tcp_flow', own('192.168.0.1', 70, '192.168.0.9'), { ...CLIENT, remote: '192.0.2.9' })
  told.end(0, A)
  for (let window = 1; window < 40; window++) {
    if (window === 8) {
      held.set('Node', node(A, '192.168.0.77'), BEGAN + 80_000)
      told.rows(A, window, 'tcp_flow', own('192.168.0.77', 71, '192.168.0.9'))
    }
    told.rows(A, window, 'tcp_update', update(CLIENT, carrying(1, 1)))
    told.end(window, A)
  }
  const addresses = told.aggregated.map(({ nodeAddress }) => nodeAddress)
  t.equal(addresses[0], '192.168.0.1')
  t.equal(addresses.at(-1), '192.168.0.77')
})

t.test(
  'with facts of a cluster, the address of a node is that of its object, of the family of the record',
  async t => {
    const held = facts()
    const dual = node(A, '192.168.0.1')
    const addresses = ['192.168.0.1', '2001:db8::1'].map(address => ({ type: 'InternalIP', address }))
    held.set('Node', { ...dual, status: { addresses } }, BEGAN)
    const told = toldOf(held)
    // its first connection is from its bridge, to a pod that is watched elsewhere
    told.rows(A, 0, 'tcp_flow', own('10.10.0.1', 70, '10.10.1.7'), { ...CLIENT, remote: '192.0.2.9' })
    told.rows(A, 0, 'tcp_flow', {
      ...{ ...CLIENT, socket: 8, isn_local: 11, family: 10 },
      ...{ local: 'fd00:10::5', remote: '2001:db8::9' },
    })
    told.rows(B, 0, 'tcp_flow', { ...SERVER, remote: '192.0.2.8', isn_local: 33 })
    told.end(0, A, B)
    told.silence(1, 3, A, B)
    t.same(
      told.aggregated
        .filter(({ node }) => node === A)
        .map(({ nodeAddress }) => nodeAddress)
        .sort(),
      ['192.168.0.1', '2001:db8::1'],
    )
  },
)
