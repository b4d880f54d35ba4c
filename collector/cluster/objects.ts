/** What is kept of each kind of object: only what facts need. `Kubernetes API reference` has the whole. */

import { addresses, bounded } from './addresses.ts'
import type { Protocol } from './facts.ts'
import {
  elements,
  isRecord,
  type Json,
  member,
  name,
  number,
  text,
  textMap,
  texts,
  textsByName,
  timeMs,
} from './json.ts'
import { networkAddresses } from './read/networks.ts'
import { pluginAddresses } from './read/plugins.ts'
import { endOf } from './read/pod_end.ts'

/** An object's own name; '' for the namespace of what is in none. */
export interface Named {
  readonly namespace: string
  readonly name: string
  /** Milliseconds since the epoch; 0 where it does not say. */
  readonly created: number
  /** Addresses, each with each port, that are more than one object may have. */
  readonly cut?: number
}

/** A pod has one for each family, a node some more. */
const MAX_IPS = 64
/** A node has one for each family, a cluster a few. */
const MAX_RANGES = 16

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
  readonly uid: string
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
  readonly uid: string
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

/** Of what is in a namespace: a manifest that names none means `default`. */
const namedOf = (object: Json): Named => {
  const { namespace, name: own, creationTimestamp } = member(object, 'metadata')
  return {
    namespace: name(namespace) || 'default',
    name: name(own),
    created: timeMs(creationTimestamp) ?? 0,
  }
}

const clusterWide = (object: Json): Named => ({ ...namedOf(object), namespace: '' })

/** '' in a manifest that was never applied. */
const uidOf = (object: Json): string => text(member(object, 'metadata')['uid'])

function ownerOf(object: Json): Owner | undefined {
  const all = elements(member(object, 'metadata')['ownerReferences'])
  const owner = all.find(({ controller }) => controller === true) ?? (all.length === 1 ? all[0] : undefined)
  if (!owner) return undefined
  const [, group = ''] = /^([^/]+)\//.exec(text(owner['apiVersion'])) ?? []
  return { group, kind: name(owner['kind']), name: name(owner['name']) }
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
    STATUSES.flatMap(list => elements(status[list])).flatMap(({ containerID, name: own }) => {
      const [, id] = /^[\w.-]+:\/\/(.+)$/.exec(name(containerID)) ?? []
      return id === undefined ? [] : [[id, name(own)]]
    }),
  )

const HASH = /^[\da-f]{32}$/

/**
 * What its node called a static pod before the API had it, an MD5: what the API has is a mirror with a UID of its own. Whoever makes a
 * pod may write annotations, but a node deletes mirrors that it did not make.
 */
function staticUid(annotations: Readonly<Record<string, string>>, owner: Owner | undefined): string {
  const hash = annotations['kubernetes.io/config.hash'] ?? ''
  const isMirror = HASH.test(hash) && annotations['kubernetes.io/config.mirror'] === hash
  return isMirror && (!owner || owner.kind === 'Node') ? hash : ''
}

export function podOf(object: Json): PodObject {
  const [metadata, spec, status] = ['metadata', 'spec', 'status'].map(name => member(object, name)) as [
    Json,
    Json,
    Json,
  ]
  const named = namedOf(object)
  const annotations = textsByName(metadata['annotations'])
  const owner = ownerOfPod(object, annotations)
  const isOver = status['phase'] === 'Succeeded' || status['phase'] === 'Failed'
  return {
    ...named,
    uid: staticUid(annotations, owner) || name(metadata['uid']) || `${named.namespace}/${named.name}`,
    node: name(spec['nodeName']),
    ips: addresses([status['podIP'], ...elements(status['podIPs']).map(({ ip }) => ip)]).slice(0, MAX_IPS),
    otherIps: addresses(networkAddresses(annotations)).slice(0, MAX_IPS),
    hostNetwork: spec['hostNetwork'] === true,
    labels: textMap(metadata['labels']),
    owner,
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
  const [labels, annotations] = [textMap(metadata['labels']), textsByName(metadata['annotations'])]
  const addressesOf = (isMeant: (type: string) => boolean) =>
    addresses(
      elements(status['addresses'])
        .filter(({ type }) => isMeant(text(type)))
        .map(({ address }) => address),
    )
  const ranges = [text(spec['podCIDR']), ...texts(spec['podCIDRs'])]
  return {
    ...clusterWide(object),
    uid: uidOf(object),
    zone: ZONES.map(name => labels[name]).find(Boolean) ?? '',
    ips: addressesOf(type => type !== 'ExternalIP').slice(0, MAX_IPS),
    podIps: addresses(pluginAddresses(annotations, ranges)).slice(0, MAX_IPS),
    externalIps: addressesOf(type => type === 'ExternalIP').slice(0, MAX_IPS),
    podRanges: [...new Set(ranges.filter(Boolean))].slice(0, MAX_RANGES),
  }
}

const portsOf = (value: unknown): Port[] =>
  elements(value).flatMap(({ name: own, port, protocol, nodePort }) => {
    const known = text(protocol || 'TCP').toLowerCase()
    if (known !== 'tcp' && known !== 'udp') return []
    return [{ name: name(own), port: number(port), protocol: known, nodePort: number(nodePort) }]
  })

export function serviceOf(object: Json): ServiceObject {
  const spec = member(object, 'spec')
  const ingress = elements(member(member(object, 'status'), 'loadBalancer')['ingress'])
  const clusterIps = addresses([spec['clusterIP'], ...texts(spec['clusterIPs'])]).slice(0, 2) // 'None' is no address
  const otherIps = addresses([
    ...texts(spec['externalIPs']),
    text(spec['loadBalancerIP']),
    ...ingress.map(({ ip }) => ip),
  ])
  const { ips, ports, cut } = bounded(otherIps, portsOf(spec['ports']))
  return { ...namedOf(object), uid: uidOf(object), clusterIps, otherIps: ips, ports, cut }
}

export function sliceOf(object: Json): SliceObject {
  const labels = textMap(member(object, 'metadata')['labels'])
  return {
    ...namedOf(object),
    service: labels['kubernetes.io/service-name'] ?? '',
    ...bounded(
      addresses(elements(object['endpoints']).flatMap(({ addresses }) => texts(addresses))),
      portsOf(object['ports']),
    ),
  }
}

export const rangesOf = (object: Json): RangesObject => ({
  ...clusterWide(object),
  ranges: texts(member(object, 'spec')['cidrs']).slice(0, MAX_RANGES),
})

export const namespaceOf = (object: Json): NamespaceObject => ({
  ...clusterWide(object),
  labels: textMap(member(object, 'metadata')['labels']),
})

/** It has what every object has. */
export const isObject = (value: unknown): value is Json =>
  isRecord(value) && name(member(value, 'metadata')['name']) !== ''
