/** Objects of people who may write in one namespace, and would like to be somebody else in another; and mistakes of everybody. */

import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { Intervals } from '../../../../collector/cluster/intervals.ts'
import type { Kind } from '../../../../collector/cluster/kinds.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import { mirrorOf, node, pod, service, slice } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const held = (...things: readonly Thing[]): Held => {
  const held = new Held()
  for (const thing of things) held.set(thing['kind'] as Kind, thing, T)
  return held
}
const VICTIM = '7d1f0c5e-0a52-4b7e-9a5c-3f0e6f2f9b11'
const HASH = 'd41d8cd98f00b204e9800998ecf8427e'
const HTTP = [{ name: 'http', port: 80 }]

for (const [what, given, liar] of [
  [
    'an annotation with the UID of another pod',
    { uid: VICTIM },
    { uid: 'own', annotations: { 'kubernetes.io/config.hash': VICTIM } },
  ],
  ['the UID of another pod, in a file that was copied', { uid: VICTIM }, { uid: VICTIM }],
  ['the hash of a static pod', { annotations: mirrorOf(HASH) }, { annotations: mirrorOf(HASH) }],
] as const)
  t.test(`a pod with ${what} takes nothing from it`, async t => {
    const uid = 'uid' in given ? VICTIM : HASH
    const known = held(
      pod({ name: 'victim', ip: '10.0.0.1', ...given }),
      pod({ name: 'liar', namespace: 'evil', ip: '10.0.0.2', ...liar }),
    )
    const names = () => [
      known.podByUid(uid)?.name,
      known.podByAddress('10.0.0.1', T)?.name,
      known.podByAddress('10.0.0.2', T)?.name,
    ]
    t.same(names(), ['victim', 'victim', 'liar'])
    known.set('Pod', pod({ name: 'liar', namespace: 'evil', ip: '10.0.0.2', ...liar, labels: {} }), T)
    t.same(names(), ['victim', 'victim', 'liar'], 'nor when it changes')
    known.remove('Pod', pod({ name: 'liar', namespace: 'evil', ip: '10.0.0.2', ...liar }), T + 1)
    t.equal(known.podByUid(uid)?.name, 'victim')
    t.equal(known.podByAddress('10.0.0.1', T + 5000)?.name, 'victim', 'nor when it goes')
    t.equal(known.podByAddress('10.0.0.2', T + 5000), undefined)
  })

const OF_NODE = { owner: ['Node', 'node-a'] } as const
for (const [what, liar] of [
  ['a pod of nobody', { annotations: { 'kubernetes.io/config.hash': HASH } }],
  [
    'a pod that names a node as its owner',
    { ...OF_NODE, annotations: { 'kubernetes.io/config.hash': HASH } },
  ],
  ['a pod of a Deployment', { annotations: mirrorOf(HASH), owner: ['ReplicaSet', 'evil-1'] }],
  [
    'a mirror of something else',
    {
      ...OF_NODE,
      annotations: { ...mirrorOf('0'.repeat(32)), 'kubernetes.io/config.hash': HASH },
    },
  ],
] as const)
  t.test(`a static pod has its UID, though ${what} was first to name it`, async t => {
    const known = held(
      pod({ name: 'liar', namespace: 'evil', ip: '10.0.0.2', ...liar }),
      pod({ name: 'victim', ip: '10.0.0.1', annotations: mirrorOf(HASH), ...OF_NODE }),
    )
    t.equal(known.podByUid(HASH)?.name, 'victim')
    t.equal(known.podByUid('uid-liar')?.name, 'liar', 'which has its own')
    t.equal(known.podByAddress('10.0.0.1', T)?.name, 'victim')
    t.equal(known.podByAddress('10.0.0.2', T)?.name, 'liar')
  })

t.test('replicas of a template with copied annotations have their own UIDs', async t => {
  const copy = { annotations: mirrorOf(HASH), owner: ['ReplicaSet', 'web-1'] } as const
  const known = held(pod({ name: 'a', ip: '10.0.0.1', ...copy }), pod({ name: 'b', ip: '10.0.0.2', ...copy }))
  for (const [name, ip] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ] as const) {
    t.equal(known.podByUid(`uid-${name}`)?.name, name)
    t.equal(known.podByAddress(ip, T)?.name, name)
  }
})

for (const [what, more] of [
  ['an external address', { externalIPs: ['10.96.0.10'] }],
  ['the address of a load balancer, as it wishes', { loadBalancerIP: '10.96.0.10' }],
  ['the same in IPv6', { externalIPs: ['::ffff:10.96.0.10'] }],
] as const)
  t.test(`a Service that claims the address of another by ${what} does not get its name`, async t => {
    const dns = service('dns', '10.96.0.10', [{ name: 'http', port: 80 }])
    const liar = service('liar', '10.96.0.66', [{ port: 80 }, { port: 81 }], more, 'evil')
    for (const things of [
      [dns, liar],
      [liar, dns],
    ]) {
      const known = held(...things)
      const nameOf = (port: number) => known.serviceByAddress('10.96.0.10', port, 'tcp', T)?.name
      t.same([nameOf(80), nameOf(81)], ['dns', 'liar'], 'what nobody has may be claimed')
      known.remove('Service', liar, T + 1)
      t.equal(known.serviceByAddress('10.96.0.10', 80, 'tcp', T + 5000)?.name, 'dns')
      t.equal(known.rangeOf('10.96.0.10', T + 5000), 'Services')
    }
  })

t.test('an endpoint that is a pod of another namespace does not hide the Service of that pod', async t => {
  const known = held(
    pod({ name: 'web', ip: '10.0.0.7' }),
    service('web', '10.96.0.10', HTTP),
    slice('web-x', 'web', ['10.0.0.7', '192.0.2.1'], HTTP),
    service('liar', '10.96.0.66', HTTP, {}, 'evil'),
    slice('liar-x', 'liar', ['10.0.0.7', '192.0.2.1'], HTTP, 'evil'),
  )
  t.equal(known.serviceByEndpoint('10.0.0.7', 80, 'tcp', T)?.name, 'web')
  t.equal(known.serviceByEndpoint('192.0.2.1', 80, 'tcp', T), undefined, 'of what is no pod, nobody knows')
  known.remove('EndpointSlice', slice('web-x', 'web', ['10.0.0.7'], HTTP), T + 1)
  t.equal(known.serviceByEndpoint('10.0.0.7', 80, 'tcp', T + 5000)?.name, 'liar', 'alone it may be')
})

const ips = (count: number) =>
  Array.from({ length: count }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`)
const ports = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `p${at}`, port: at + 1 }))
for (const [what, thing] of [
  ['a Service', service('big', '10.96.0.1', ports(20_000), { externalIPs: ips(20_000) })],
  ['a slice', slice('big-x', 'big', ips(20_000), ports(20_000))],
  ['a slice with many addresses', slice('big-x', 'big', ips(100_000), ports(1))],
] as const)
  t.test(
    `${what} with each of its addresses at each of its ports is bounded, and what is beyond counts`,
    async t => {
      const known = held(thing, service('web', '10.96.0.10', HTTP), pod({ name: 'web', ip: '10.0.0.7' }))
      t.ok(known.refused > 80_000, `${known.refused}`)
      t.equal(known.serviceByAddress('10.96.0.10', 80, 'tcp', T)?.name, 'web')
    },
  )

t.test('keys are bounded, and those that are known go on', async t => {
  const all = new Intervals<string>(2)
  for (const key of ['a', 'b', 'c']) all.begin(key, 'x', T)
  all.begin('a', 'y', T + 1)
  t.same(
    ['a', 'b', 'c'].map(key => all.at(key, T + 1)),
    ['y', 'x', undefined],
  )
  t.equal(all.refused, 1)
  all.end('b', 'x', T + 2)
  all.expire(T + 10)
  all.begin('c', 'x', T + 10)
  t.equal(all.at('c', T + 10), 'x')
})

t.test('names that are longer than any are none', async t => {
  const long = 'x'.repeat(513)
  const known = held()
  t.notOk(known.set('Pod', pod({ name: long, ip: '10.0.0.1' }), T))
  t.ok(known.set('Pod', pod({ name: 'x'.repeat(512), ip: '10.0.0.2' }), T))
  known.set(
    'Pod',
    pod({
      name: 'odd',
      ip: '10.0.0.3',
      node: long,
      owner: ['Custom', long],
      labels: { a: long, [long]: 'a', b: 'c', d: '' },
    }),
    T,
  )
  const odd = known.podByAddress('10.0.0.3', T)
  t.same([odd?.node, odd?.workload.name, odd?.labels], ['', '', { b: 'c', d: '' }])
  t.equal(known.bad, 1)
  const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`l${at}`, 'x']))
  known.set('Pod', pod({ name: 'many', ip: '10.0.0.4', labels }), T)
  t.equal(Object.keys(known.podByAddress('10.0.0.4', T)?.labels ?? {}).length, 256)
})

t.test('names that are words of JavaScript are names', async t => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const known = held(
      pod({ name, namespace: name, ip: '10.0.0.1', node: name, uid: name, labels: { [name]: name } }),
      node(name, '192.168.0.1', { zone: name }),
      service(name, '10.96.0.1', [{ name, port: 80 }], {}, name),
      slice(name, name, ['10.0.0.1'], [{ name, port: 80 }], name),
    )
    const found = known.podByUid(name)
    t.same([found?.name, found?.node, found?.zone], [name, name, name])
    t.equal(known.serviceByEndpoint('10.0.0.1', 80, 'tcp', T)?.portName, name)
  }
})
