/** Pods on several networks. */

import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { pod } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

const on = (name: string, ip: string, other: string, more: object = {}) => {
  const networks = [
    { name: 'cbr0', interface: 'eth0', ips: [ip], default: true },
    { name: 'default/macvlan', interface: 'net1', ips: [other], mac: '0a:58:0a:00:00:01' },
  ]
  const annotations = { 'k8s.v1.cni.cncf.io/network-status': JSON.stringify(networks) }
  return pod({ name, ip, started: T, annotations, ...more })
}

t.test('a pod has its addresses on other networks, too, as long as it is there', async t => {
  const held = new Held()
  held.set('Pod', on('a', '10.0.0.1', '172.20.0.5'), T)
  t.equal(held.podByAddress('172.20.0.5', T + 1000)?.name, 'a')
  t.equal(held.podByAddress('10.0.0.1', T + 1000)?.name, 'a')
  held.set('Pod', on('a', '10.0.0.1', '172.20.0.6'), T + MINUTE)
  t.equal(held.podByAddress('172.20.0.5', T + 2 * MINUTE), undefined)
  t.equal(held.podByAddress('172.20.0.5', T + 1000)?.name, 'a', 'then')
  const last = on('a', '10.0.0.1', '172.20.0.6', { phase: 'Succeeded', finished: T + 2 * MINUTE })
  held.set('Pod', last, T + 3 * MINUTE)
  t.equal(held.podByAddress('172.20.0.6', T + 90_000)?.name, 'a')
  t.equal(held.podByAddress('172.20.0.6', T + 4 * MINUTE), undefined)
  held.remove('Pod', last, T + 5 * MINUTE)
  held.expire(T + 30 * MINUTE)
  t.equal(held.podByAddress('172.20.0.6', T + 90_000), undefined)
})

t.test(
  'an address that two pods have on two networks is that of nobody, and an own one comes first',
  async t => {
    const held = new Held()
    held.set('Pod', on('a', '10.0.0.1', '172.20.0.5'), T)
    held.set('Pod', on('b', '10.0.0.2', '172.20.0.5'), T)
    held.set('Pod', on('c', '10.0.0.3', '10.0.0.1'), T)
    t.equal(held.podByAddress('172.20.0.5', T + 1000), undefined)
    t.equal(held.podByAddress('10.0.0.1', T + 1000)?.name, 'a')
    held.remove('Pod', on('b', '10.0.0.2', '172.20.0.5'), T + MINUTE)
    t.equal(held.podByAddress('172.20.0.5', T + 2 * MINUTE)?.name, 'a')
  },
)

for (const [what, annotation] of [
  ['no JSON', '[{"ips":'],
  ['no list', '{"ips":["172.20.0.5"]}'],
  ['other things in it', '[4,null,{"ips":"172.20.0.5"},{"ips":[4,"none"]}]'],
] as const)
  t.test(`networks that are ${what} are left out`, async t => {
    const held = new Held()
    const annotations = { 'k8s.v1.cni.cncf.io/network-status': annotation }
    held.set('Pod', pod({ name: 'a', ip: '10.0.0.1', started: T, annotations }), T)
    t.equal(held.podByAddress('172.20.0.5', T), undefined)
    t.equal(held.podByAddress('10.0.0.1', T)?.name, 'a')
  })

t.test('what Multus writes is longer than a label', async t => {
  const held = new Held()
  const dns = { nameservers: Array.from({ length: 40 }, (_, at) => `10.96.0.${at}`) }
  const networks = [{ name: 'default/macvlan', interface: 'net1', ips: ['172.20.0.5'], dns }]
  const annotations = { 'k8s.v1.cni.cncf.io/network-status': JSON.stringify(networks, null, 4) }
  held.set('Pod', pod({ name: 'a', ip: '10.0.0.1', started: T, annotations }), T)
  t.equal(held.podByAddress('172.20.0.5', T + 1000)?.name, 'a')
})

t.test('on other networks, too, an end in the future is none', async t => {
  const held = new Held()
  held.set('Pod', on('a', '10.0.0.1', '172.20.0.5'), T)
  const last = on('a', '10.0.0.1', '172.20.0.5', { phase: 'Failed', finished: T + 9e10 })
  held.set('Pod', last, T + MINUTE)
  held.set('Pod', on('b', '10.0.0.2', '172.20.0.5'), T + 2 * MINUTE)
  t.equal(held.podByAddress('172.20.0.5', T + 20_000)?.name, 'a')
  t.equal(held.podByAddress('172.20.0.5', T + 3 * MINUTE)?.name, 'b')
})

t.test('and one that only its last state says is one', async t => {
  const held = new Held()
  held.set('Pod', on('a', '10.0.0.1', '172.20.0.5'), T)
  const last = on('a', '10.0.0.1', '172.20.0.5', { phase: 'Failed', finished: T + 30_000 })
  held.remove('Pod', last, T + MINUTE)
  t.equal(held.podByAddress('172.20.0.5', T + 20_000)?.name, 'a')
  t.equal(held.podByAddress('172.20.0.5', T + 45_000), undefined)
})
