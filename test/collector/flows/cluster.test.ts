import t from 'tap'
import type { Held } from '../../../collector/cluster/held/held.ts'
import { node, owned, pod, service, slice } from '../../harness/kubernetes/objects.ts'
import { BOOT, POD_CLIENT as CLIENT, held, NAMES, POD_SERVER as SERVER, Stage } from './given.ts'

const LABELS = { 'pod-template-hash': '5d9f' }

/** The pod of the rows: web-0 has the UID u on host a. */
const WEB = pod({
  name: 'web-0',
  namespace: 'shop',
  uid: 'u',
  ip: '10.0.0.1',
  node: 'a',
  owner: ['ReplicaSet', 'web-5d9f'],
  labels: LABELS,
})
const CLUSTER = [
  node('a', '192.168.0.1', { zone: 'eu-1a', podCIDR: '10.0.0.0/24' }),
  node('b', '192.168.0.2', { zone: 'eu-1b' }),
  owned('ReplicaSet', 'web-5d9f', ['Deployment', 'web'], 'shop'),
  WEB,
  pod({ name: 'db-0', namespace: 'shop', ip: '10.0.1.7', node: 'b', owner: ['StatefulSet', 'db'] }),
  service('db', '10.96.0.7', [{ name: 'pg', port: 5432, nodePort: 30432 }], {}, 'shop'),
  slice('db-x', 'db', ['10.0.1.7'], [{ name: 'pg', port: 5432 }], 'shop'),
]

function stageOf(facts: Held, metrics: readonly string[] = []): Stage {
  return new Stage(1000, { facts, metrics })
}

t.test('ends that no probe watches have the names of the cluster', async t => {
  const stage = stageOf(held(...CLUSTER))
  const to = (socket: number, remote: string, remote_port: number) => ({
    ...CLIENT,
    socket,
    remote,
    remote_port,
  })
  stage.rows('a', 0, 'tcp_flow', [
    to(1, '10.0.1.7', 5432),
    to(2, '10.96.0.7', 5432),
    to(3, '192.168.0.2', 30432),
    to(4, '192.168.0.2', 22),
    to(5, '8.8.8.8', 53),
    { ...SERVER, socket: 6, remote: '10.0.1.7', remote_port: 5432 },
  ])
  stage.end('a', 0)
  const flows = stage.ask('sort=opened').flows
  const by = (remote: string, port: number) =>
    flows.find(({ asked, source }) => (asked.ip === remote && asked.port === port) || source.ip === remote)
  const web = {
    kind: 'pod',
    name: 'web-0',
    ownerKind: 'Deployment',
    ownerName: 'web',
    node: 'a',
    zone: 'eu-1a',
  }
  const db = {
    kind: 'pod',
    name: 'db-0',
    namespace: 'shop',
    ownerKind: 'StatefulSet',
    ownerName: 'db',
    node: 'b',
  }
  const asked = {
    namespace: 'shop',
    name: 'db',
    uid: 'uid-db',
    portName: 'pg',
    port: 5432,
    clusterIP: '10.96.0.7',
  }
  t.match(by('10.0.1.7', 5432), {
    ...{ reporter: 'client', clientCluster: web, serverCluster: db },
    ...{ service: { ...asked, by: 'endpoint' }, serverSubnet: 'Pods', clientSubnet: 'Pods' },
  })
  t.match(by('10.96.0.7', 5432), {
    ...{
      serverCluster: { kind: 'service', name: 'db', namespace: 'shop' },
      service: { ...asked, by: 'address' },
    },
    serverSubnet: 'Services',
  })
  t.match(by('192.168.0.2', 30432), { serverCluster: { kind: 'service' }, service: { by: 'address' } })
  t.match(by('192.168.0.2', 22), { serverCluster: { kind: 'node', name: 'b' }, serverSubnet: 'Machines' })
  const outside = by('8.8.8.8', 53)
  t.equal(outside?.serverCluster, undefined)
  t.equal(outside?.service, undefined)
  t.equal(outside?.serverSubnet, undefined)
  t.match(
    flows.find(({ reporter }) => reporter === 'server'),
    { clientCluster: db, serverCluster: web },
  )
  t.equal(stage.ask('pod=shop/db-0').total, 2, 'questions know them, too')
  t.equal(stage.ask('pod=web-0&with=pod/db-0').total, 2)
  t.equal(stage.ask('with=namespace/shop').total, 6)
})

t.test('an address that another pod has a minute later: records of both are right', async t => {
  const facts = held(...CLUSTER)
  const old = { name: 'old', namespace: 'shop', ip: '10.0.1.9', node: 'b', started: BOOT + 50_000 }
  facts.set('Pod', pod(old), BOOT + 51_000)
  facts.remove('Pod', pod({ ...old, finished: BOOT + 110_000 }), BOOT + 112_000)
  facts.set('Pod', pod({ ...old, name: 'new', started: BOOT + 115_000 }), BOOT + 116_000)
  const stage = stageOf(facts)
  const at = (socket: number, seconds: number) => ({
    ...{ ...CLIENT, socket, remote: '10.0.1.9', remote_port: 80 },
    ...{ opened_ns: seconds * 1e9, closed_ns: 140e9, state: 7 },
  })
  stage.rows('a', 0, 'tcp_flow', [at(1, 100), at(2, 130)])
  stage.end('a', 0)
  stage.now = 60_000
  stage.end('a', 1)
  t.same(stage.records.map(({ server_pod, opened }) => [server_pod, opened]).sort(), [
    ['new', BOOT / 1000 + 130],
    ['old', BOOT / 1000 + 100],
  ])
})

t.test('the columns of a record', async t => {
  const stage = stageOf(held(...CLUSTER))
  const closed = { closed_ns: 101e9, state: 7 }
  stage.rows('a', 0, 'tcp_flow', [
    { ...CLIENT, ...closed, socket: 1, remote: '10.96.0.7', remote_port: 5432 },
  ])
  stage.end('a', 0)
  stage.now = 60_000
  stage.end('a', 1)
  t.match(stage.records, [
    {
      ...{ client_pod: 'web-0', client_namespace: 'shop', client_kind: 'pod', client_node: 'a' },
      ...{ client_zone: 'eu-1a', client_owner_kind: 'Deployment', client_owner_name: 'web' },
      ...{ server_kind: 'service', server_pod: undefined, server_namespace: undefined },
      ...{ service: 'db', service_namespace: 'shop', service_port: 'pg', service_by: 'address' },
    },
  ])
})

t.test('a pod that its probe has no name for is called as the cluster calls it', async t => {
  const stage = stageOf(held(...CLUSTER))
  const names = { ...NAMES, pods: {} }
  stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, socket: 1, remote: '8.8.8.8', remote_port: 53 }], names)
  stage.end('a', 0, names)
  t.match(stage.ask('pod=shop/web-0').flows, [{ client: { pod: 'web-0', namespace: 'shop', podUid: 'u' } }])
})

t.test('labels of a file come first, and it can switch off the others', async t => {
  const directory = t.testdir({
    'on.yaml': '- {name: database, cidrs: [10.0.1.0/24]}\n',
    'off.yaml':
      'subnetLabels: {openShiftAutoDetect: false, customLabels: [{name: x, cidrs: [1.1.1.1/32]}]}\n',
  })
  for (const [file, db, web] of [
    ['on.yaml', 'database', 'Pods'],
    ['off.yaml', undefined, undefined],
  ] as const) {
    const stage = new Stage(1000, { facts: held(...CLUSTER), subnets: `${directory}/${file}` })
    stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, socket: 1, remote: '10.0.1.7', remote_port: 5432 }])
    stage.end('a', 0)
    const [flow] = stage.ask().flows
    t.equal(flow?.serverSubnet, db)
    t.equal(flow?.clientSubnet, web)
  }
})

t.test('a name that the settings give to pods does not make them a part of the outside', async t => {
  const directory = t.testdir({ 'all.yaml': '- {name: database, cidrs: [10.0.0.0/16]}\n' })
  const options = { facts: held(...CLUSTER), metrics: ['node', 'subnet'], subnets: `${directory}/all.yaml` }
  const stage = new Stage(1000, options)
  // in the range of node a, and no pod that is known
  stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, socket: 1, remote: '10.0.0.99', remote_port: 80 }])
  const counts = stage.end('a', 0)
  t.match(counts?.node, [{ tags: { node: 'a', peer_node: '', scope: 'inter' } }])
  t.match(counts?.subnet, [{ tags: { subnet: 'database' } }])
})

t.test('traffic of Services and nodes, and flows by peers and ranges', async t => {
  const stage = stageOf(held(...CLUSTER), ['service', 'node', 'peer', 'subnet'])
  const to = (socket: number, remote: string, remote_port: number) => ({
    ...CLIENT,
    socket,
    remote,
    remote_port,
  })
  stage.rows('a', 0, 'tcp_flow', [
    ...[to(1, '10.96.0.7', 5432), to(2, '10.96.0.7', 5432), to(3, '10.0.1.7', 5432), to(4, '8.8.8.8', 53)],
    { ...SERVER, socket: 5, remote: '10.0.1.7', remote_port: 40000 },
    // of the host itself: no pod, no traffic of the node's pods
    { ...to(6, '192.168.0.2', 22), cgroup: 9 },
  ])
  const counts = stage.end('a', 0)
  const rows = (name: 'service' | 'node' | 'peer' | 'subnet') =>
    counts?.[name]
      ?.map(({ tags, numbers }) => [Object.values(tags).join(' '), ...Object.values(numbers)])
      .sort()
  t.same(rows('service'), [
    ['shop db pg address', 200, 14, 2],
    ['shop db pg endpoint', 100, 7, 1],
  ])
  t.same(rows('node'), [
    ['a  external', 100, 7],
    ['a  inter', 200, 14],
    ['a b inter', 110, 97],
  ])
  t.same(rows('peer'), [
    ['a b', 1, 0],
    ['shop/web-0 shop/db', 2, 0],
    ['shop/web-0 shop/db-0', 1, 1],
    ['shop/web-0 unknown', 1, 0],
  ])
  t.same(rows('subnet'), [
    ['Machines', 1, 0],
    ['Pods', 1, 1],
    ['Services', 2, 0],
  ])
})

t.test('without a cluster, nodes are the hosts of the probes', async t => {
  const stage = new Stage(1000, { metrics: ['node', 'service'] })
  const isn = { isn_local: 5, isn_remote: 9 }
  stage.rows('a', 0, 'tcp_flow', [{ ...CLIENT, socket: 1, remote: '10.0.1.7', remote_port: 80, ...isn }])
  const counts = stage.end('a', 0)
  t.same(
    counts?.node?.map(({ tags }) => tags),
    [{ node: 'a', peer_node: '', scope: 'external' }],
  )
  t.same(counts?.service, [])
})
