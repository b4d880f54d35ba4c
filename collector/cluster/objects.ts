/** What is kept of each kind of object: only what facts need. `Kubernetes API reference` has the whole. */

import { addressBytes } from '../../wire/address_text.ts'
import { canonical } from './addresses.ts'
import type { Protocol } from './facts.ts'
import { elements, isRecord, type Json, member, number, text, textMap, texts, timeMs } from './json.ts'

/** An object's own name; '' for the namespace of what is in none. */
export interface Named {
  readonly namespace: string
  readonly name: string
  /** Milliseconds since the epoch; 0 where it does not say. */
  readonly created: number
}

/** `metadata.ownerReferences`, the one that is the controller. */
export interface Owner {
  readonly kind: string
  readonly name: string
}

export interface PodObject extends Named {
  readonly uid: string
  readonly node: string
  readonly ips: readonly string[]
  readonly hostNetwork: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly owner: Owner | undefined
  /** Of its containers that have run, the name by the id. */
  readonly containers: Readonly<Record<string, string>>
  /** When its node took it on: before it had an address. */
  readonly started: number
  /** When its last container ended, or the pod as a whole: the address may be another's from then on. */
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

const namedOf = (object: Json): Named => {
  const { namespace, name, creationTimestamp } = member(object, 'metadata')
  return { namespace: text(namespace), name: text(name), created: timeMs(creationTimestamp) ?? 0 }
}

/** '' in a manifest that was never applied. */
const uidOf = (object: Json): string => text(member(object, 'metadata')['uid'])

const addresses = (found: readonly unknown[]): string[] => [
  ...new Set(found.map(text).filter(addressBytes).map(canonical)),
]

function ownerOf(object: Json): Owner | undefined {
  const owner = elements(member(object, 'metadata')['ownerReferences']).find(
    ({ controller }) => controller === true,
  )
  return owner && { kind: text(owner['kind']), name: text(owner['name']) }
}

/** Of its containers, which are all over. */
function endOf(status: Json): number | undefined {
  const ends = elements(status['containerStatuses']).map(({ state }) =>
    timeMs(member(state, 'terminated')['finishedAt']),
  )
  const known = ends.filter(end => end !== undefined)
  // times are in whole seconds
  return known.length > 0 && known.length === ends.length ? Math.max(...known) + 1000 : undefined
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
  const isOver = status['phase'] === 'Succeeded' || status['phase'] === 'Failed'
  return {
    ...named,
    // of a static pod, what its node calls it: its mirror in the API has another UID
    uid:
      textMap(metadata['annotations'])['kubernetes.io/config.hash'] ||
      text(metadata['uid']) ||
      `${named.namespace}/${named.name}`,
    node: text(spec['nodeName']),
    ips: addresses([status['podIP'], ...elements(status['podIPs']).map(({ ip }) => ip)]),
    hostNetwork: spec['hostNetwork'] === true,
    labels: textMap(metadata['labels']),
    owner: ownerOf(object),
    containers: containersIn(status),
    started: timeMs(status['startTime']) ?? named.created,
    ended: endOf(status),
    isOver,
  }
}

export const ownedOf = (object: Json): OwnedObject => ({ ...namedOf(object), owner: ownerOf(object) })

const ZONES = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']

export function nodeOf(object: Json): NodeObject {
  const [spec, status] = [member(object, 'spec'), member(object, 'status')]
  const labels = textMap(member(object, 'metadata')['labels'])
  const ranges = [text(spec['podCIDR']), ...texts(spec['podCIDRs'])]
  return {
    ...namedOf(object),
    uid: uidOf(object),
    zone: ZONES.map(name => labels[name]).find(Boolean) ?? '',
    ips: addresses(elements(status['addresses']).map(({ address }) => address)),
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
    uid: uidOf(object),
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
