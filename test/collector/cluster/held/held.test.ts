import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../../collector/cluster/kinds.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import {
  mirrorOf,
  namespace,
  node,
  owned,
  pod,
  service,
  serviceRange,
  slice,
} from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
/** As a node makes it of a static pod: MD5. */
const HASH = 'd41d8cd98f00b204e9800998ecf8427e'
const put = (held: Held, ...things: readonly Thing[]) => {
  for (const thing of things) held.set(thing['kind'] as Kind, thing, T)
}

t.test('a pod is found by its addresses and its UID', async t => {
  const held = new Held()
  put(
    held,
    node('node-a', '192.168.0.1', { zone: 'eu-1a' }),
    pod({ name: 'web-0', ips: ['10.0.0.7', 'fd00::7'], started: T, labels: { app: 'web' } }),
  )
  for (const found of [
    held.podByAddress('10.0.0.7', T + MINUTE),
    held.podByAddress('fd00::7', T + MINUTE),
    held.podByUid('uid-web-0'),
  ]) {
    t.equal(found?.name, 'web-0')
    t.equal(found?.namespace, 'default')
    t.equal(found?.uid, 'uid-web-0')
    t.equal(found?.node, 'node-a')
    t.equal(found?.zone, 'eu-1a')
    t.same(found?.labels, { app: 'web' })
    t.same(found?.workload, { kind: 'Pod', name: 'web-0' })
  }
  t.equal(held.podByAddress('10.0.0.7', T - MINUTE), undefined, 'before it began')
})

t.test('addresses are the same however they are written', async t => {
  const held = new Held()
  put(held, pod({ name: 'six', ip: 'FD00:0:0::00AB', started: T }))
  t.equal(held.podByAddress('fd00::ab', T)?.name, 'six')
})

t.test('an address that goes from a pod to another within a minute is right for flows of both', async t => {
  const held = new Held()
  put(held, pod({ name: 'a', ip: '10.0.0.7', started: T }))
  held.remove('Pod', pod({ name: 'a', ip: '10.0.0.7', started: T, finished: T + 20_000 }), T + 24_000)
  held.set('Pod', pod({ name: 'b', started: T + 15_000 }), T + 16_000)
  held.set('Pod', pod({ name: 'b', ip: '10.0.0.7', started: T + 15_000 }), T + 26_000)
  t.equal(held.podByAddress('10.0.0.7', T + 18_000)?.name, 'a', 'b had begun, and had no address yet')
  t.equal(held.podByAddress('10.0.0.7', T + 30_000)?.name, 'b')
  held.expire(T + 5 * MINUTE)
  t.equal(held.podByAddress('10.0.0.7', T + 10_000)?.name, 'a', 'minutes later')
  held.expire(T + 20 * MINUTE)
  t.equal(held.podByAddress('10.0.0.7', T + 10_000), undefined, 'not for ever')
  t.equal(held.podByUid('uid-a'), undefined)
  t.equal(held.podByAddress('10.0.0.7', T + 30_000)?.name, 'b')
})

t.test('a pod that begins before the one whose address it gets has ended', async t => {
  const END = { started: T, asked: T + 110_000, finished: T + 119_000 }
  const a = { name: 'a', ip: '10.0.0.1' }
  const b = pod({ name: 'b', ip: '10.0.0.1', started: T + MINUTE })
  for (const [what, end] of [
    ['its deletion comes later', (held: Held) => held.remove('Pod', pod({ ...a, ...END }), T + 123_000)],
    [
      'its end comes later',
      (held: Held) => held.set('Pod', pod({ ...a, ...END, phase: 'Failed' }), T + 123_000),
    ],
  ] as const)
    for (const isFirst of [true, false]) {
      const held = new Held()
      put(held, pod({ ...a, started: T }))
      if (isFirst) held.set('Pod', b, T + 121_000)
      end(held)
      if (!isFirst) held.set('Pod', b, T + 125_000)
      const text = `${what}${isFirst ? '' : ', b after that'}`
      t.equal(held.podByAddress('10.0.0.1', T + 90_000)?.name, 'a', text)
      t.equal(held.podByAddress('10.0.0.1', T + 2 * MINUTE)?.name, 'b', text)
    }
  const held = new Held()
  put(held, pod({ ...a, started: T }))
  held.set('Pod', b, T + 121_000)
  held.remove('Pod', pod({ ...a, started: T }), T + 5 * MINUTE)
  t.equal(held.podByAddress('10.0.0.1', T + 2 * MINUTE)?.name, 'b', 'when it left the API says little')
})

t.test('an end in the future is none', async t => {
  const held = new Held()
  const over = { name: 'a', ip: '10.0.0.1', started: T, phase: 'Failed', finished: T + 9e10 }
  held.set('Pod', pod(over), T + MINUTE)
  held.set('Pod', pod({ name: 'b', ip: '10.0.0.1', started: T + 2 * MINUTE }), T + 2 * MINUTE)
  t.equal(held.podByAddress('10.0.0.1', T + 30_000)?.name, 'a')
  t.equal(held.podByAddress('10.0.0.1', T + 3 * MINUTE)?.name, 'b')
})

t.test('a pod that is over has no address, though the API still says so', async t => {
  const held = new Held()
  put(held, pod({ name: 'job-1', ip: '10.0.0.7', started: T }))
  const over = { name: 'job-1', ip: '10.0.0.7', started: T, finished: T + 5000 }
  held.set('Pod', pod({ ...over, phase: 'Succeeded' }), T + 6000)
  put(held, pod({ name: 'web', ip: '10.0.0.7', started: T + 10_000 }))
  t.equal(held.podByAddress('10.0.0.7', T + 3000)?.name, 'job-1')
  t.equal(held.podByAddress('10.0.0.7', T + 7000), undefined)
  t.equal(held.podByAddress('10.0.0.7', T + MINUTE)?.name, 'web')
  const late = new Held()
  put(late, pod({ name: 'web', ip: '10.0.0.7', started: T + 10_000 }))
  late.set('Pod', pod({ ...over, phase: 'Failed' }), T + MINUTE)
  t.equal(late.podByAddress('10.0.0.7', T + 3000)?.name, 'job-1', 'in whatever order a list has them')
  t.equal(late.podByAddress('10.0.0.7', T + MINUTE)?.name, 'web')
})

t.test('a pod of the same name is another one', async t => {
  const held = new Held()
  put(held, pod({ name: 'db-0', uid: 'u1', ip: '10.0.0.1', started: T }))
  held.set('Pod', pod({ name: 'db-0', uid: 'u2', ip: '10.0.0.2', started: T + MINUTE }), T + MINUTE)
  t.equal(held.podByAddress('10.0.0.2', T + 2 * MINUTE)?.uid, 'u2')
  t.equal(held.podByAddress('10.0.0.1', T + 10)?.uid, 'u1')
  t.equal(held.podByAddress('10.0.0.1', T + 2 * MINUTE), undefined)
})

t.test('pods on the network of their node do not have its address', async t => {
  const held = new Held()
  put(
    held,
    node('node-a', '192.168.0.1'),
    pod({ name: 'proxy', ip: '192.168.0.1', hostNetwork: true, started: T }),
  )
  t.equal(held.podByAddress('192.168.0.1', T), undefined)
  t.equal(held.nodeByAddress('192.168.0.1', T)?.name, 'node-a')
  t.equal(held.podByUid('uid-proxy')?.name, 'proxy')
})

t.test('a static pod has the UID that its containers have', async t => {
  const held = new Held()
  const older = HASH.replace('d', 'e')
  put(
    held,
    pod({ name: 'etcd-node-a', owner: ['Node', 'node-a'], annotations: mirrorOf(HASH) }),
    pod({ name: 'etcd-node-b', annotations: mirrorOf(older) }),
  )
  t.same(held.podByUid(HASH)?.workload, { kind: 'Pod', name: 'etcd-node-a' })
  t.equal(held.podByUid(older)?.name, 'etcd-node-b', 'of an older cluster, where no node owns it')
})

t.test('the workload is what made what made the pod', async t => {
  const held = new Held()
  const workloadOf = (uid: string) => held.podByUid(`uid-${uid}`)?.workload
  put(
    held,
    pod({ name: 'web', owner: ['ReplicaSet', 'web-5d9f'], labels: { 'pod-template-hash': '5d9f' } }),
    pod({ name: 'roll', owner: ['ReplicaSet', 'roll-77'] }),
    pod({ name: 'bare', owner: ['ReplicaSet', 'bare'] }),
    pod({ name: 'night', owner: ['Job', 'night-28001'] }),
    pod({ name: 'once', owner: ['Job', 'once'] }),
    pod({ name: 'db-0', owner: ['StatefulSet', 'db'] }),
    pod({ name: 'custom', owner: ['SparkApplication', 'pi'] }),
  )
  t.same(workloadOf('web'), { kind: 'Deployment', name: 'web' }, 'by its name, before its ReplicaSet came')
  t.same(workloadOf('roll'), { kind: 'ReplicaSet', name: 'roll-77' }, 'what made that is not known yet')
  put(
    held,
    owned('ReplicaSet', 'roll-77', ['Rollout', 'roll']),
    owned('ReplicaSet', 'bare'),
    owned('Job', 'night-28001', ['CronJob', 'night']),
    owned('Job', 'once'),
  )
  t.same(workloadOf('roll'), { kind: 'Rollout', name: 'roll' })
  t.same(workloadOf('bare'), { kind: 'ReplicaSet', name: 'bare' })
  t.same(workloadOf('night'), { kind: 'CronJob', name: 'night' })
  t.same(workloadOf('once'), { kind: 'Job', name: 'once' })
  t.same(workloadOf('db-0'), { kind: 'StatefulSet', name: 'db' })
  t.same(workloadOf('custom'), { kind: 'SparkApplication', name: 'pi' })
  held.remove('Job', owned('Job', 'night-28001'), T)
  t.same(workloadOf('night'), { kind: 'CronJob', name: 'night' }, 'what made it may go before it')
})

t.test('a Service is found by every address that clients ask for', async t => {
  const held = new Held()
  const more = {
    clusterIPs: ['10.96.0.10', 'fd00:2::a'],
    externalIPs: ['203.0.113.5'],
    loadBalancer: { ingress: [{ ip: '198.51.100.9' }, { hostname: 'lb.example.com' }] },
  }
  const ports = [
    { name: 'http', port: 80, nodePort: 30080 },
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'sctp', port: 99, protocol: 'SCTP' },
  ]
  put(held, node('node-a', '192.168.0.1'), service('web', '10.96.0.10', ports, more, 'shop'))
  const http = {
    namespace: 'shop',
    name: 'web',
    uid: 'uid-web',
    portName: 'http',
    port: 80,
    clusterIP: '10.96.0.10',
  }
  t.same(held.serviceByAddress('10.96.0.10', 80, 'tcp', T), http)
  t.same(held.serviceByAddress('203.0.113.5', 80, 'tcp', T), http)
  t.same(held.serviceByAddress('198.51.100.9', 80, 'tcp', T), http)
  t.same(held.serviceByAddress('192.168.0.1', 30080, 'tcp', T), http, 'a node port')
  t.same(held.serviceByAddress('fd00:2::a', 80, 'tcp', T), { ...http, clusterIP: 'fd00:2::a' })
  t.equal(held.serviceByAddress('10.96.0.10', 53, 'udp', T)?.portName, 'dns')
  t.equal(held.serviceByAddress('10.96.0.10', 53, 'tcp', T), undefined)
  t.equal(held.serviceByAddress('192.168.0.2', 30080, 'tcp', T), undefined, 'no node')
  t.equal(held.serviceByAddress('10.96.0.10', 99, 'tcp', T), undefined)
})

t.test('the address of a Service goes to another one', async t => {
  const held = new Held()
  const old = service('old', '10.96.0.10', [{ port: 80 }])
  put(held, old)
  held.remove('Service', old, T + MINUTE)
  held.set('Service', service('new', '10.96.0.10', [{ port: 80 }]), T + MINUTE + 10)
  t.equal(held.serviceByAddress('10.96.0.10', 80, 'tcp', T)?.name, 'old')
  t.equal(held.serviceByAddress('10.96.0.10', 80, 'tcp', T + 2 * MINUTE)?.name, 'new')
  held.set('Service', service('new', '10.96.0.10', [{ port: 8080 }]), T + 3 * MINUTE)
  t.equal(held.serviceByAddress('10.96.0.10', 80, 'tcp', T + 2 * MINUTE)?.name, 'new', 'its port then')
  t.equal(held.serviceByAddress('10.96.0.10', 80, 'tcp', T + 4 * MINUTE), undefined)
  t.equal(held.serviceByAddress('10.96.0.10', 8080, 'tcp', T + 4 * MINUTE)?.name, 'new')
})

t.test('a pod answers for a Service; where it answers for two, none is told', async t => {
  const held = new Held()
  put(
    held,
    service('web', '10.96.0.10', [{ name: 'http', port: 80 }]),
    service('head', 'None', [{ name: 'http', port: 8080 }]),
    slice('web-x', 'web', ['10.0.0.7', '10.0.0.8'], [{ name: 'http', port: 8080 }]),
    slice('head-x', 'head', ['10.0.0.8'], [{ name: 'http', port: 8080 }]),
  )
  const web = {
    namespace: 'default',
    name: 'web',
    uid: 'uid-web',
    portName: 'http',
    port: 80,
    clusterIP: '10.96.0.10',
  }
  t.same(held.serviceByEndpoint('10.0.0.7', 8080, 'tcp', T), web)
  t.equal(held.serviceByEndpoint('10.0.0.8', 8080, 'tcp', T), undefined)
  t.equal(held.serviceByEndpoint('10.0.0.7', 80, 'tcp', T), undefined)
  held.set('EndpointSlice', slice('web-x', 'web', ['10.0.0.9'], [{ name: 'http', port: 8080 }]), T + MINUTE)
  t.equal(held.serviceByEndpoint('10.0.0.8', 8080, 'tcp', T + 2 * MINUTE)?.name, 'head')
  t.equal(held.serviceByEndpoint('10.0.0.8', 8080, 'tcp', T + 2 * MINUTE)?.clusterIP, '')
  t.equal(held.serviceByEndpoint('10.0.0.9', 8080, 'tcp', T), undefined, 'not yet then')
  t.same(held.serviceByEndpoint('10.0.0.7', 8080, 'tcp', T), web, 'still then')
  held.expire(T + 20 * MINUTE)
  t.equal(held.serviceByEndpoint('10.0.0.7', 8080, 'tcp', T), undefined)
})

t.test('a pod answers at one port for several of one Service: the first of them stands for it', async t => {
  const held = new Held()
  const ports = [
    { name: 'http', port: 80 },
    { name: 'alt', port: 8000 },
    { name: 'quic', port: 443, protocol: 'UDP' },
  ]
  const targets = ports.toReversed().map(({ name, protocol = 'TCP' }) => ({ name, protocol, port: 8080 }))
  put(
    held,
    service('web', '10.96.0.10', ports),
    slice('web-a', 'web', ['10.0.0.7'], targets),
    // while a slice is split, an endpoint is in two
    slice('web-b', 'web', ['10.0.0.7'], targets),
  )
  const asked = (protocol: 'tcp' | 'udp') => {
    const { name, port } = held.serviceByEndpoint('10.0.0.7', 8080, protocol, T) ?? {}
    return { name, port }
  }
  t.same(asked('tcp'), { name: 'web', port: 80 })
  t.same(asked('udp'), { name: 'web', port: 443 })
  put(held, slice('other-a', 'web', ['10.0.0.7'], targets, 'other'))
  t.same(asked('tcp'), { name: undefined, port: undefined }, 'of another namespace it is another Service')
})

t.test('ranges have names', async t => {
  const held = new Held()
  put(
    held,
    node('node-a', '192.168.0.1', { podCIDR: '10.244.1.0/24' }),
    serviceRange('10.96.0.0/12'),
    pod({ name: 'odd', ip: '172.30.0.4', started: T }),
    service('far', '172.31.0.1', [{ port: 80 }]),
  )
  const range = (ip: string) => held.rangeOf(ip, T)
  t.equal(range('192.168.0.1'), 'Machines')
  t.equal(range('10.244.1.9'), 'Pods')
  t.equal(range('10.244.2.9'), '')
  t.equal(range('10.97.1.1'), 'Services')
  t.equal(range('172.30.0.4'), 'Pods')
  t.equal(range('172.31.0.1'), 'Services')
  t.equal(range('8.8.8.8'), '')
  t.equal(range('no address'), '')
  held.set('Node', node('node-a', '192.168.0.1', { podCIDR: '10.244.2.0/24' }), T)
  t.equal(range('10.244.1.9'), '')
  t.equal(range('10.244.2.9'), 'Pods')
})

t.test('what a list does not have any more is gone', async t => {
  const held = new Held()
  put(held, pod({ name: 'a', ip: '10.0.0.1', started: T }), pod({ name: 'b', ip: '10.0.0.2', started: T }))
  held.beginList('Pod')
  held.set('Pod', pod({ name: 'b', ip: '10.0.0.2', started: T }), T + MINUTE)
  held.endList('Pod', T + MINUTE)
  t.equal(held.podByAddress('10.0.0.1', T + 2 * MINUTE), undefined)
  t.equal(held.podByAddress('10.0.0.1', T + 1000)?.name, 'a')
  t.equal(held.podByAddress('10.0.0.2', T + 2 * MINUTE)?.name, 'b')
  t.equal(held.sizes().Pod, 1)
})

t.test('what is gone has nothing left, whatever its last state says', async t => {
  const held = new Held()
  const port = [{ name: 'x', port: 80, nodePort: 30080 }]
  put(
    held,
    pod({ name: 'a', ip: '10.0.0.1', started: T }),
    service('web', '10.96.0.1', port),
    slice('web-x', 'web', ['10.0.0.1'], port),
    node('node-a', '192.168.0.1', { podCIDR: '10.244.1.0/24' }),
    serviceRange('10.96.0.0/12'),
  )
  const known = (atMs: number) => [
    held.podByAddress('10.0.0.1', atMs)?.name,
    held.serviceByAddress('10.96.0.1', 80, 'tcp', atMs)?.name,
    held.serviceByEndpoint('10.0.0.1', 80, 'tcp', atMs)?.name,
    held.nodeByAddress('192.168.0.1', atMs)?.name,
  ]
  const ranges = () => ['10.96.0.1', '10.97.0.1', '10.244.1.9'].map(ip => held.rangeOf(ip, T + 2 * MINUTE))
  t.same(known(T), ['a', 'web', 'web', 'node-a'])
  t.same(ranges(), ['Services', 'Services', 'Pods'])
  const last: readonly Thing[] = [
    pod({ name: 'a', started: T }),
    service('web', 'None', []),
    slice('web-x', 'web', [], []),
    node('node-a', '192.168.0.9'),
    serviceRange('10.0.0.0/8'),
  ]
  for (const thing of last) held.remove(thing['kind'] as Kind, thing, T + MINUTE)
  t.equal(held.podByAddress('10.0.0.1', T)?.name, 'a')
  t.equal(held.serviceByAddress('10.96.0.1', 80, 'tcp', T)?.name, 'web', 'it is remembered')
  t.same(known(T + 2 * MINUTE), [undefined, undefined, undefined, undefined])
  t.same(ranges(), ['', '', ''])
})

t.test('a pod ends when its last state says, though it never said so before', async t => {
  const held = new Held()
  put(held, pod({ name: 'a', ip: '10.0.0.1', started: T }))
  held.remove('Pod', pod({ name: 'a', started: T, asked: T + 15_000, finished: T + 20_000 }), T + MINUTE)
  t.equal(held.podByAddress('10.0.0.1', T + 20_000)?.name, 'a')
  t.equal(held.podByAddress('10.0.0.1', T + 30_000), undefined)
})

t.test('what names no namespace is in the default one; what is in none has none', async t => {
  const held = new Held()
  const without = ({ metadata: { namespace: _, ...metadata }, ...thing }: Thing): Thing => ({
    ...thing,
    metadata,
  })
  put(
    held,
    without(pod({ name: 'a', ip: '10.0.0.1', owner: ['ReplicaSet', 'a-1'], started: T })),
    owned('ReplicaSet', 'a-1', ['Rollout', 'a']),
    without(owned('ReplicaSet', 'b-1', ['Rollout', 'b'])),
    pod({ name: 'b', ip: '10.0.0.2', owner: ['ReplicaSet', 'b-1'], started: T }),
    without(service('web', '10.96.0.1', [{ name: 'x', port: 80 }])),
    slice('web-x', 'web', ['10.0.0.1'], [{ name: 'x', port: 8080 }]),
    service('db', '10.96.0.2', [{ name: 'y', port: 5432 }]),
    without(slice('db-x', 'db', ['10.0.0.2'], [{ name: 'y', port: 5432 }])),
  )
  t.equal(held.podByAddress('10.0.0.1', T)?.namespace, 'default')
  t.same(held.podByAddress('10.0.0.1', T)?.workload, { kind: 'Rollout', name: 'a' })
  t.same(held.podByAddress('10.0.0.2', T)?.workload, { kind: 'Rollout', name: 'b' })
  t.equal(held.serviceByAddress('10.96.0.1', 80, 'tcp', T)?.namespace, 'default')
  t.equal(held.serviceByEndpoint('10.0.0.1', 8080, 'tcp', T)?.name, 'web')
  t.equal(held.serviceByEndpoint('10.0.0.2', 5432, 'tcp', T)?.name, 'db')

  const odd = (thing: Thing): Thing => ({ ...thing, metadata: { ...thing.metadata, namespace: 'x' } })
  put(held, node('node-a', '192.168.0.1'), odd(node('node-a', '192.168.0.2')))
  t.equal(held.sizes().Node, 1)
  t.equal(held.nodeByAddress('192.168.0.1', T + 1), undefined, 'one node, which has another address now')
})

t.test('labels of namespaces, for a while after they are gone', async t => {
  const held = new Held()
  put(held, namespace('shop', { team: 'a' }))
  t.same(held.namespaceByName('shop')?.labels, { team: 'a' })
  t.equal(held.namespaceByName('other'), undefined)
  t.equal(held.namespaceByName('constructor'), undefined)
  held.remove('Namespace', namespace('shop'), T)
  t.same(held.namespaceByName('shop')?.labels, { team: 'a' })
  held.expire(T + 20 * MINUTE)
  t.equal(held.namespaceByName('shop'), undefined)
})

t.test('what is no object is counted, and odd ones are taken as far as they go', async t => {
  const held = new Held()
  for (const odd of [null, 7, 'x', [], {}, { metadata: {} }, { metadata: { name: 3 } }])
    t.equal(held.set('Pod', odd, T), false)
  t.equal(held.bad, 7)
  const odd = {
    metadata: { name: 'odd', labels: [1], ownerReferences: 'x' },
    status: { podIP: 'x', podIPs: 4 },
  }
  t.ok(held.set('Pod', odd, T))
  t.ok(held.set('Service', { metadata: { name: 's' }, spec: { ports: [{ port: '80' }, 4] } }, T))
  t.ok(held.set('EndpointSlice', { metadata: { name: 's' }, endpoints: [{ addresses: [4] }] }, T))
  t.ok(held.set('Node', { metadata: { name: 'n' }, spec: { podCIDRs: ['x', '10.0.0.0/99'] } }, T))
  t.equal(held.podByUid('default/odd')?.name, 'odd')
})

t.test('containers have their names in the pod, the sandbox none', async t => {
  const held = new Held()
  const status = (containerID: string) => ({
    containerStatuses: [{ name: 'main', containerID }, { name: 'waits' }],
  })
  const base = pod({ name: 'web', started: T })
  held.set('Pod', { ...base, status: status('containerd://c1') }, T)
  t.equal(held.containerName('c1'), 'main')
  t.equal(held.containerName('pause'), undefined)
  held.set('Pod', { ...base, status: status('cri-o://c2') }, T + MINUTE)
  t.equal(held.containerName('c2'), 'main', 'it was started anew')
  held.remove('Pod', { ...base, status: {} }, T + 2 * MINUTE)
  t.equal(held.containerName('c2'), 'main', 'its last window may still come')
  held.expire(T + 20 * MINUTE)
  t.equal(held.containerName('c2'), undefined)
})
