/** Addresses of nodes on the network of their pods, as each network plugin writes them down. */

import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { node, pod } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)

const annotated = (annotations: Readonly<Record<string, string>>, podCIDRs: readonly string[]) => {
  const made = node('n', '192.168.0.1')
  return { ...made, metadata: { ...made.metadata, annotations }, spec: { podCIDRs } }
}

for (const [plugin, annotations, ranges, own, others] of [
  [
    'Cilium',
    { 'network.cilium.io/ipv4-cilium-host': '10.0.1.42', 'network.cilium.io/ipv6-cilium-host': 'fd00::42' },
    ['10.0.1.0/24'],
    ['10.0.1.42', 'fd00::42'],
    ['10.0.1.0', '10.0.1.1'],
  ],
  [
    'Calico with VXLAN',
    { 'projectcalico.org/IPv4VXLANTunnelAddr': '10.42.22.0', 'projectcalico.org/IPv4Address': '1.2.3.4/24' },
    ['10.42.22.0/24'],
    ['10.42.22.0'],
    ['10.42.22.1', '1.2.3.4'],
  ],
  [
    'Calico with IPIP and WireGuard',
    {
      'projectcalico.org/IPv4IPIPTunnelAddr': '10.1.2.3',
      'projectcalico.org/IPv4WireguardInterfaceAddr': '10.1.2.4',
    },
    [],
    ['10.1.2.3', '10.1.2.4'],
    [],
  ],
  [
    'flannel, of two families',
    { 'flannel.alpha.coreos.com/public-ip': '192.168.0.1' },
    ['10.42.22.0/24', 'fd00:42:22::/64'],
    ['10.42.22.0', '10.42.22.1', 'fd00:42:22::1'],
    ['10.42.22.2', '10.42.23.1'],
  ],
  [
    'Antrea, in a range within a byte',
    { 'node.antrea.io/mac-address': 'aa:bb' },
    ['10.10.1.128/25'],
    ['10.10.1.129'],
    ['10.10.1.128', '10.10.1.1'],
  ],
  [
    'OVN-Kubernetes',
    { 'k8s.ovn.org/node-subnets': '{"default":"10.128.0.0/23"}' },
    [],
    ['10.128.0.2'],
    ['10.128.0.1', '10.128.0.3'],
  ],
  [
    'OVN-Kubernetes of two families',
    { 'k8s.ovn.org/node-subnets': '{"default":["10.129.0.0/23","fd01:0:0:2::/64"],"other":"10.9.0.0/24"}' },
    [],
    ['10.129.0.2', 'fd01:0:0:2::2'],
    ['10.9.0.2'],
  ],
  ['none', {}, ['10.42.22.0/24'], [], ['10.42.22.0', '10.42.22.1']],
  [
    'something odd',
    {
      ...{ 'k8s.ovn.org/node-subnets': '{"default":', 'network.cilium.io/ipv4-cilium-host': 'none' },
      'node.antrea.io/mac-address': '',
    },
    ['10.0.0.0/32', 'x', '10.0.0.1/99'],
    [],
    ['10.0.0.1', '10.0.0.2'],
  ],
] as const)
  t.test(`a node has addresses on the network of its pods: ${plugin}`, async t => {
    const held = new Held()
    held.set('Node', annotated(annotations, ranges), T)
    for (const ip of own) t.equal(held.nodeByAddress(ip, T)?.name, 'n', ip)
    for (const ip of others) t.equal(held.nodeByAddress(ip, T), undefined, ip)
    t.same(held.nodeByName('n')?.ips, ['192.168.0.1'], 'others know it by its own')
  })

t.test('a pod that has such an address is asked first', async t => {
  const held = new Held()
  held.set('Node', annotated({ 'node.antrea.io/mac-address': 'x' }, ['10.10.1.0/24']), T)
  held.set('Pod', pod({ name: 'odd', ip: '10.10.1.1', started: T }), T)
  t.equal(held.podByAddress('10.10.1.1', T)?.name, 'odd')
})
