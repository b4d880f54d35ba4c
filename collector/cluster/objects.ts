/** What is kept of each kind of object: only what facts need. `Kubernetes API reference` has the whole. */

import { addressBytes } from '../../wire/address_text.ts'
import { canonical } from './addresses.ts'
import type { Protocol } from './facts.ts'
import { elements, isRecord, type Json, member, number, text, textMap, texts, timeMs } from './json.ts'
import { networkAddresses } from './read/networks.ts'
import { pluginAddresses } from './read/plugins.ts'
import { endOf } from './read/pod_end.ts'

/** An object's own name; '' for the namespace of what is in none. */
export interface Named {
  readonly namespace: string
  readonly name: string
  /** Milliseconds since the epoch; 0 where it does not say. */
  readonly created: number
}

/** Of `metadata.ownerReferences` the controller; else the only one: not every operator says that its pods are controlled. */
export interface Owner {
  /** Of the API: `apps`, …; '' for the core's. Kinds of two groups may have one name. */
  readonly group: string
  readonly kind: string
  readonly name: string
}

export interface PodObject extends Named {
  readonly uid: string
  readonly node: string
  readonly ips: readonly string[]
  /** On other networks, which may use the same addresses as one another. */
  readonly otherIps: readonly string[]
  readonly hostNetwork: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly owner: Owner | undefined
  /** Of its containers that have run, the name by the id. */
  readonly containers: Readonly<Record<string, string>>
  /** When its node took it on: before it had an address. */
  readonly started: number
  /** When its address was free again, as far as it says; undefined while it goes on, too. */
  readonly ended: number | undefined
  readonly isOver: boolean
}

export interface OwnedObject extends Named {
  readonly owner: Owner | undefined
}

export interface NodeObject extends Named {
  readonly zone: string
  readonly ips: readonly string[]
  /** On the network of its pods. */
  readonly podIps: readonly string[]
  /** By which it is known outside: several nodes may have one, behind one router. */
  readonly externalIps: readonly string[]
  readonly podRanges: readonly string[]
}

export interface Port {
  readonly name: string
  readonly port: number
  readonly protocol: Protocol
  readonly nodePort: number
}

export interface ServiceObject extends Named {
  readonly clusterIps: readonly string[]
  /** External addresses and those of load balancers. */
  readonly otherIps: readonly string[]
  readonly ports: readonly Port[]
}

export interface SliceObject extends Named {
  readonly service: string
  readonly ips: readonly string[]
  readonly ports: readonly Omit<Port, 'nodePort'>[]
}

export interface RangesObject extends Named {
  readonly ranges: readonly string[]
}

export interface NamespaceObject extends Named {
  readonly labels: Readonly<Record<string, string>>
}

const namedOf = (object: Json): Named => {
  const { namespace, name, creationTimestamp } = member(object, 'metadata')
  return { namespace: text(namespace), name: text(name), created: timeMs(creationTimestamp) ?? 0 }
}

const addresses = (found: readonly unknown[]): string[] => [
  ...new Set(found.map(text).filter(addressBytes).map(canonical)),
]

function ownerOf(object: Json): Owner | undefined {
  const all = elements(member(object, 'metadata')['ownerReferences'])
  const owner = all.find(({ controller }) => controller === true) ?? (all.length === 1 ? all[0] : undefined)
  if (!owner) return undefined
  const [, group = ''] = /^([^/]+)\//.exec(text(owner['apiVersion'])) ?? []
  return { group, kind: text(owner['kind']), name: text(owner['name']) }
}

/** OpenShift's DeploymentConfigs make ReplicationControllers, a new one each time, and write themselves on the pods. */
function ownerOfPod(object: Json, annotations: Readonly<Record<string, string>>): Owner | undefined {
  const owner = ownerOf(object)
  const config = annotations['openshift.io/deployment-config.name']
  if (owner?.kind !== 'ReplicationController' || !config) return owner
  return { group: 'apps.openshift.io', kind: 'DeploymentConfig', name: config }
}

const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']

/** An id is `containerd://<id>` there. */
const containersIn = (status: Json): Record<string, string> =>
  Object.fromEntries(
    STATUSES.flatMap(list => elements(status[list])).flatMap(({ containerID, name }) => {
      const [, id] = /^[\w.-]+:\/\/(.+)$/.exec(text(containerID)) ?? []
      return id === undefined ? [] : [[id, text(name)]]
    }),
  )

export function podOf(object: Json): PodObject {
  const [metadata, spec, status] = ['metadata', 'spec', 'status'].map(name => member(object, name)) as [
    Json,
    Json,
    Json,
  ]
  const named = namedOf(object)
  const annotations = textMap(metadata['annotations'])
  const isOver = status['phase'] === 'Succeeded' || status['phase'] === 'Failed'
  return {
    ...named,
    // of a static pod, what its node calls it: its mirror in the API has another UID
    uid:
      annotations['kubernetes.io/config.hash'] || text(metadata['uid']) || `${named.namespace}/${named.name}`,
    node: text(spec['nodeName']),
    ips: addresses([status['podIP'], ...elements(status['podIPs']).map(({ ip }) => ip)]),
    otherIps: addresses(networkAddresses(annotations)),
    hostNetwork: spec['hostNetwork'] === true,
    labels: textMap(metadata['labels']),
    owner: ownerOfPod(object, annotations),
    containers: containersIn(status),
    started: timeMs(status['startTime']) ?? named.created,
    ended: endOf(metadata, status, isOver),
    isOver,
  }
}

export const ownedOf = (object: Json): OwnedObject => ({ ...namedOf(object), owner: ownerOf(object) })

const ZONES = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']

export function nodeOf(object: Json): NodeObject {
  const [spec, status] = [member(object, 'spec'), member(object, 'status')]
  const metadata = member(object, 'metadata')
  const [labels, annotations] = [textMap(metadata['labels']), textMap(metadata['annotations'])]
  const addressesOf = (isMeant: (type: string) => boolean) =>
    addresses(
      elements(status['addresses'])
        .filter(({ type }) => isMeant(text(type)))
        .map(({ address }) => address),
    )
  const ranges = [text(spec['podCIDR']), ...texts(spec['podCIDRs'])]
  return {
    ...namedOf(object),
    zone: ZONES.map(name => labels[name]).find(Boolean) ?? '',
    ips: addressesOf(type => type !== 'ExternalIP'),
    podIps: addresses(pluginAddresses(annotations, ranges)),
    externalIps: addressesOf(type => type === 'ExternalIP'),
    podRanges: [...new Set(ranges.filter(Boolean))],
  }
}

const portsOf = (value: unknown): Port[] =>
  elements(value).flatMap(({ name, port, protocol, nodePort }) => {
    const known = text(protocol || 'TCP').toLowerCase()
    if (known !== 'tcp' && known !== 'udp') return []
    return [{ name: text(name), port: number(port), protocol: known, nodePort: number(nodePort) }]
  })

export function serviceOf(object: Json): ServiceObject {
  const spec = member(object, 'spec')
  const ingress = elements(member(member(object, 'status'), 'loadBalancer')['ingress'])
  return {
    ...namedOf(object),
    clusterIps: addresses([spec['clusterIP'], ...texts(spec['clusterIPs'])]), // 'None' is no address
    otherIps: addresses([
      ...texts(spec['externalIPs']),
      text(spec['loadBalancerIP']),
      ...ingress.map(({ ip }) => ip),
    ]),
    ports: portsOf(spec['ports']),
  }
}

export function sliceOf(object: Json): SliceObject {
  const labels = textMap(member(object, 'metadata')['labels'])
  return {
    ...namedOf(object),
    service: labels['kubernetes.io/service-name'] ?? '',
    ips: addresses(elements(object['endpoints']).flatMap(({ addresses }) => texts(addresses))),
    ports: portsOf(object['ports']),
  }
}

export const rangesOf = (object: Json): RangesObject => ({
  ...namedOf(object),
  ranges: texts(member(object, 'spec')['cidrs']),
})

export const namespaceOf = (object: Json): NamespaceObject => ({
  ...namedOf(object),
  labels: textMap(member(object, 'metadata')['labels']),
})

/** It has what every object has. */
export const isObject = (value: unknown): value is Json =>
  isRecord(value) && text(member(value, 'metadata')['name']) !== ''
