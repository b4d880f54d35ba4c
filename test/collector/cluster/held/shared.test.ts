/** Services, nodes and endpoints that share an address, are made anew, have two families, or are gone. */

import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../../collector/cluster/kinds.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import { at, node, pod, service, slice } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const put = (held: Held, atMs: number, ...things: readonly Thing[]) => {
  for (const thing of things) held.set(thing['kind'] as Kind, thing, atMs)
}
const made = (thing: Thing, ms: number): Thing => ({
  ...thing,
  metadata: { ...thing.metadata, creationTimestamp: at(ms) },
})
const addresses = (thing: Thing, ...all: readonly (readonly [type: string, address: string])[]): Thing => ({
  ...thing,
  status: { addresses: all.map(([type, address]) => ({ type, address })) },
})

for (const [what, more, ports] of [
  ['of one load balancer, on two ports', { loadBalancer: { ingress: [{ ip: '203.0.113.5' }] } }, [80, 443]],
  ['with the same external address and port', { externalIPs: ['203.0.113.5'] }, [80, 80]],
  [
    'with the same address of a load balancer that was asked for',
    { loadBalancerIP: '203.0.113.5' },
    [80, 81],
  ],
] as const)
  for (const gone of [0, 1])
    t.test(`two Services ${what}: the ${gone === 0 ? 'first' : 'second'} goes`, async t => {
      const held = new Held()
      const all = ports.map((port, at) => service(`s${at}`, `10.96.0.${at + 1}`, [{ port }], more))
      put(held, T, ...all)
      // a change that is none of its addresses
      put(held, T + 1000, ...all)
      held.remove('Service', all[gone], T + MINUTE)
      const [at, left] = [T + 2 * MINUTE, 1 - gone]
      t.equal(held.serviceByAddress('203.0.113.5', ports[left]!, 'tcp', at)?.name, `s${left}`)
      t.equal(held.rangeOf('203.0.113.5', at), 'Services')
      held.remove('Service', all[left], T + 3 * MINUTE)
      t.equal(held.rangeOf('203.0.113.5', T + 4 * MINUTE), '')
    })

t.test('an endpoint that is in two slices of a Service while it moves', async t => {
  for (const gone of ['x1', 'x2']) {
    const held = new Held()
    const of = (name: string, ms: number) =>
      made(slice(name, 'web', ['10.0.0.7'], [{ name: 'http', port: 8080 }]), ms)
    put(held, T, service('web', '10.96.0.1', [{ name: 'http', port: 80 }]), of('x1', T), of('x2', T + 1000))
    put(held, T + MINUTE, slice(gone, 'web', [], [{ name: 'http', port: 8080 }]))
    t.equal(held.serviceByEndpoint('10.0.0.7', 8080, 'tcp', T + 2 * MINUTE)?.name, 'web', gone)
  }
})

t.test('a node port has the address of the family that was asked for', async t => {
  const held = new Held()
  const dual = { clusterIPs: ['fd00:2::a', '10.96.0.1'] }
  put(
    held,
    T,
    addresses(node('n', ''), ['InternalIP', '192.168.0.1'], ['InternalIP', '2001:db8::1']),
    service('dual', 'fd00:2::a', [{ port: 80, nodePort: 30080 }], dual),
    service('six', 'fd00:2::b', [{ port: 80, nodePort: 30081 }]),
    service('four', '10.96.0.2', [{ port: 80, nodePort: 30082 }]),
  )
  const asked = (ip: string, port: number) => held.serviceByAddress(ip, port, 'tcp', T)?.clusterIP
  t.equal(asked('192.168.0.1', 30080), '10.96.0.1')
  t.equal(asked('2001:db8::1', 30080), 'fd00:2::a')
  t.equal(asked('2001:db8::1', 30081), 'fd00:2::b')
  t.equal(asked('192.168.0.1', 30081), undefined, 'nobody listens there')
  t.equal(asked('192.168.0.1', 30082), '10.96.0.2')
  t.equal(asked('2001:db8::1', 30082), undefined)
})

t.test('an external address of several nodes is that of none', async t => {
  const held = new Held()
  const [a, b] = ['a', 'b'].map((name, at) =>
    addresses(node(name, ''), ['InternalIP', `192.168.0.${at}`], ['ExternalIP', '198.51.100.1']),
  )
  put(held, T, a!, service('web', '10.96.0.1', [{ port: 80, nodePort: 30080 }]))
  t.equal(held.nodeByAddress('198.51.100.1', T)?.name, 'a')
  put(held, T + 1000, b!)
  t.equal(held.nodeByAddress('198.51.100.1', T + MINUTE), undefined)
  t.equal(held.rangeOf('198.51.100.1', T + MINUTE), 'Machines')
  t.equal(held.serviceByAddress('198.51.100.1', 30080, 'tcp', T + MINUTE)?.name, 'web')
  t.equal(held.nodeByAddress('192.168.0.1', T + MINUTE)?.name, 'b')
  held.remove('Node', b, T + 2 * MINUTE)
  t.equal(held.nodeByAddress('198.51.100.1', T + 3 * MINUTE)?.name, 'a')
})

t.test('what is made anew under its name is another one, though its end was not heard', async t => {
  const held = new Held()
  put(held, T, service('s', '10.96.0.1', [{ port: 80 }]), made(node('n', '192.168.0.1', { zone: 'z1' }), T))
  put(
    held,
    T + 2 * MINUTE,
    made(service('s', '10.96.0.2', [{ port: 80 }]), T + MINUTE),
    made(node('n', '192.168.0.2', { zone: 'z2' }), T + MINUTE),
  )
  const asked = (ip: string, atMs: number) => held.serviceByAddress(ip, 80, 'tcp', atMs)?.name
  t.equal(asked('10.96.0.2', T + 90_000), 's')
  t.equal(asked('10.96.0.1', T + 90_000), undefined)
  t.equal(asked('10.96.0.1', T + 30_000), 's')
  t.equal(held.nodeByAddress('192.168.0.2', T + 90_000)?.zone, 'z2')
  t.equal(held.nodeByAddress('192.168.0.1', T + 30_000)?.zone, 'z1')
})

t.test('Services and nodes that are gone, or have other ports, are remembered as they were', async t => {
  const held = new Held()
  const web = (name: string) => service('web', '10.96.0.1', [{ name, port: 80 }])
  const webs = (name: string) => slice('web-x', 'web', ['10.0.0.7'], [{ name, port: 8080 }])
  const zoned = node('node-a', '192.168.0.1', { zone: 'z1' })
  put(held, T, zoned, pod({ name: 'p', ip: '10.0.0.7', started: T }), web('http'), webs('http'))
  put(held, T + MINUTE, web('web'), webs('web'))
  const asked = (atMs: number) => held.serviceByEndpoint('10.0.0.7', 8080, 'tcp', atMs)
  t.equal(asked(T + 1000)?.portName, 'http')
  t.equal(asked(T + 90_000)?.portName, 'web')
  held.remove('Service', web('web'), T + 2 * MINUTE)
  held.remove('EndpointSlice', webs('web'), T + 2 * MINUTE)
  held.remove('Pod', pod({ name: 'p', ip: '10.0.0.7', started: T }), T + 2 * MINUTE)
  held.remove('Node', zoned, T + 2 * MINUTE)
  t.equal(asked(T + 90_000)?.clusterIP, '10.96.0.1')
  t.equal(asked(T + 3 * MINUTE), undefined)
  t.equal(held.podByAddress('10.0.0.7', T + 1000)?.zone, 'z1')
  t.equal(held.nodeByName('node-a')?.zone, 'z1')
  held.expire(T + 20 * MINUTE)
  t.equal(asked(T + 90_000), undefined)
  t.equal(held.nodeByName('node-a'), undefined)
})
