/** Addresses that a node has on the network of its pods, from what network plugins write on it. Its own connections to pods come from there. */

import { addressIn } from '../addresses.ts'
import { texts } from '../json.ts'

type Annotations = Readonly<Record<string, string>>

/** Annotations that are such an address, with or without a length behind it. */
const ADDRESSES = [
  ...['network.cilium.io/ipv4-cilium-host', 'network.cilium.io/ipv6-cilium-host'],
  ...['projectcalico.org/IPv4IPIPTunnelAddr', 'projectcalico.org/IPv4VXLANTunnelAddr'],
  ...['projectcalico.org/IPv6VXLANTunnelAddr', 'projectcalico.org/IPv4WireguardInterfaceAddr'],
]
/** By an annotation that says which plugin it is: which addresses of the node's range are the node's. */
const PLACES: Readonly<Record<string, readonly number[]>> = {
  // flannel.1, and the bridge cni0
  'flannel.alpha.coreos.com/public-ip': [0, 1],
  'flannel.alpha.coreos.com/public-ipv6': [0, 1],
  // antrea-gw0
  'node.antrea.io/mac-address': [1],
}
/** OVN-Kubernetes has ranges of its own there, and ovn-k8s-mp0 at the second address. */
const OVN_RANGES = 'k8s.ovn.org/node-subnets'

/** @param ranges that the node gives its pods addresses of */
export function pluginAddresses(annotations: Annotations, ranges: readonly string[]): string[] {
  const places = Object.entries(PLACES).flatMap(([name, places]) => (name in annotations ? places : []))
  const given = ADDRESSES.flatMap(name => annotations[name]?.split('/')[0] ?? [])
  return [
    ...given,
    ...ranges.flatMap(range => places.map(place => addressIn(range, place))),
    ...ovnRanges(annotations[OVN_RANGES]).map(range => addressIn(range, 2)),
  ].filter(ip => ip !== undefined)
}

/** `{"default":"10.128.0.0/23"}`, or a list of one for each family. */
function ovnRanges(annotation: string | undefined): string[] {
  if (annotation === undefined) return []
  try {
    const found = (JSON.parse(annotation) as Readonly<Record<string, unknown>> | null)?.['default']
    return texts([found].flat())
  } catch {
    return []
  }
}
