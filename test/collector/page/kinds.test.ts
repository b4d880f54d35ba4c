import t from 'tap'
import { connectionsOf } from '../../../collector/page/talk/connections.ts'
import { mapOf, type TalkMap } from '../../../collector/page/talk/map.ts'
import { node, owned, pod, service, slice } from '../../harness/kubernetes/objects.ts'
import { POD_CLIENT as CLIENT, held, POD_SERVER as SERVER, Stage } from '../flows/given.ts'

const web = { name: 'web-0', namespace: 'shop', uid: 'u', ip: '10.0.0.1', node: 'a' }
const CLUSTER = [
  node('a', '192.168.0.1', { podCIDR: '10.0.0.0/24' }),
  node('node-b', '192.168.0.2', { podCIDR: '10.0.1.0/24' }),
  owned('ReplicaSet', 'web-5d9f', ['Deployment', 'web'], 'shop'),
  pod({ ...web, owner: ['ReplicaSet', 'web-5d9f'], labels: { 'pod-template-hash': '5d9f' } }),
  pod({ name: 'db-0', namespace: 'shop', ip: '10.0.1.7', node: 'node-b', owner: ['StatefulSet', 'db'] }),
  service('db', '10.96.0.7', [{ name: 'pg', port: 5432 }], {}, 'shop'),
  slice('db-x', 'db', ['10.0.1.7'], [{ name: 'pg', port: 5432 }], 'shop'),
]

/** A Service, its pod, a name server outside, a machine; a client from outside; and the host itself, which is no pod. */
function stage(isKnown = true): Stage {
  const stage = new Stage(1000, isKnown ? { facts: held(...CLUSTER) } : {})
  const to = (socket: number, remote: string, remote_port: number) => ({
    ...CLIENT,
    ...{ socket, remote, remote_port, local_port: 40000 + socket },
  })
  stage.rows('a', 0, 'tcp_flow', [
    ...[to(1, '10.96.0.7', 5432), to(2, '10.0.1.7', 5432), to(3, '8.8.8.8', 53), to(4, '192.168.0.2', 22)],
    { ...SERVER, socket: 5, remote: '9.9.9.9', remote_port: 50000 },
    { ...to(6, '8.8.8.8', 53), cgroup: 9 },
  ])
  stage.end('a', 0)
  return stage
}

const asked = (text: string) => new URLSearchParams(text)
const namesOf = ({ nodes, edges }: TalkMap) =>
  edges
    .map(({ client, via, server }) => [client, ...(via === undefined ? [] : [via]), server])
    .map(stops => stops.map(at => nodes[at]!.name).join(' > '))
    .sort()
const find = async (text: string, isKnown = true) => mapOf(stage(isKnown).flows, asked(text))

t.test('what pods talk to, by kind, in both directions', async t => {
  const { kinds, total } = await find('by=pod&to=pods')
  t.match(kinds, {
    pod: { flows: 1, bytes: 100, revBytes: 7, sentPerSecond: 10, rcvdPerSecond: 0.7 },
    service: { flows: 1, bytes: 100, revBytes: 7 },
    external: { flows: 2, bytes: 200, revBytes: 14 },
    inbound: { flows: 1, bytes: 90, revBytes: 10 },
    other: { flows: 1 },
  })
  t.equal(total.flows, 5, 'all but the host itself')
  for (const [kind, pairs] of Object.entries({
    pod: ['shop/web-0 > shop/db-0'],
    service: ['shop/web-0 > shop/db:pg > shop/db (service)'],
    external: ['shop/web-0 > 8.8.8.8', 'shop/web-0 > node-b (node)'],
    inbound: ['9.9.9.9 > shop/web-0'],
    other: ['(a) > 8.8.8.8'],
  })) {
    const some = await find(`by=pod&to=${kind}`)
    t.same(namesOf(some), pairs, kind)
    t.same(some.kinds, kinds, 'the sums are those of all')
  }
  for (const wrong of ['x', 'constructor', 'Pod'])
    await t.rejects(find(`to=${wrong}`), { status: 400, message: /to must be pods, or one of pod, service/ })
})

t.test('names of the cluster on the map, and where they lead', async t => {
  const { flows } = stage()
  const all = await mapOf(flows, asked('by=workload'))
  t.same(namesOf(all), [
    ...['(a) > 8.8.8.8', '9.9.9.9 > shop/web', 'shop/web > 8.8.8.8', 'shop/web > node-b (node)'],
    ...['shop/web > shop/db', 'shop/web > shop/db (service)'],
  ])
  t.equal(all.kinds, undefined, 'a map of everything has no kinds')
  const found = async (by: string, name: string) => {
    const { nodes } = await mapOf(flows, asked(`by=${by}`))
    const only = nodes.find(node => node.name === name)!.only
    return (await connectionsOf(flows, new URLSearchParams(only))).total
  }
  t.equal(await found('workload', 'shop/web'), 5)
  t.equal(await found('pod', 'shop/db-0'), 1)
  t.equal(await found('pod', 'node-b (node)'), 2, 'also that to the pod on it')
  t.equal(await found('process', 'shop/db (service)'), 2, 'asked for, and by the address of its pod')
  t.equal((await connectionsOf(flows, asked('to=service'))).total, 1)
  t.equal((await connectionsOf(flows, asked('to=pods&role=server&pod=web-0'))).total, 1)
})

t.test('between nodes', async t => {
  const { nodes, edges } = await find('by=node&to=pods')
  t.same(edges.map(({ client, server, flows }) => [nodes[client]!.name, nodes[server]!.name, flows]).sort(), [
    ['(outside)', 'a', 1],
    ['a', '(node not known)', 1],
    ['a', '(outside)', 1],
    ['a', 'node-b', 2],
  ])
  t.match(
    nodes.find(({ name }) => name === 'a'),
    { outside: false, only: { host: 'a' } },
  )
})

t.test('without a cluster, what no probe watches is outside', async t => {
  const { kinds } = await find('by=pod&to=pods', false)
  t.match(kinds, { external: { flows: 4 }, inbound: { flows: 1 }, other: { flows: 1 } })
  t.same(namesOf(await find('by=node&to=external', false)), ['a > (outside)'])
})
