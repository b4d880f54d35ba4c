/**
 * What the cluster's facts say of the ends of a conversation, as of the time when it began. An end that a probe watches is known by
 * the UID of its pod, which is exact; one that none watches by its address.
 */

import type { PodName } from '../../../wire/message.ts'
import { ROLE_SERVER } from '../../../wire/records.ts'
import type { ClusterFacts, NodeFact, PodFact, Protocol, ServiceFact } from '../../cluster/facts.ts'
import { NUMBER, WORD } from '../table/columns.ts'
import type { Place } from '../table/run.ts'
import { type FlowStore, protocolOf, roleOf, TCP } from '../table/store.ts'
import { type Endpoint, endpoint } from './endpoint.ts'

export interface ClusterEnd {
  readonly kind: 'pod' | 'service' | 'node'
  readonly name: string
  /** Of a pod or a Service. */
  readonly namespace?: string
  readonly podUid?: string
  readonly labels?: Readonly<Record<string, string>>
  /** What made the pod. */
  readonly ownerKind?: string
  readonly ownerName?: string
  /** Of a pod, or the node itself; '' where it is not known. */
  readonly node?: string
  readonly zone?: string
}

/** The Service that a client asked for. */
export interface AskedService extends ServiceFact {
  /** `endpoint`: it asked for a pod that answers for this Service alone; it may have meant the pod itself. */
  readonly by: 'address' | 'endpoint'
}

/** @param podUid of an end in a pod */
function watchedEnd(facts: ClusterFacts, host: string, podUid: string | undefined): ClusterEnd | undefined {
  if (podUid === undefined) return nodeEnd(facts.nodeByName(host))
  return podEnd(facts.podByUid(podUid))
}

/** @param atMs milliseconds since the epoch */
function unwatchedEnd(
  facts: ClusterFacts,
  { ip, port }: Endpoint,
  protocol: Protocol,
  atMs: number,
): ClusterEnd | undefined {
  const pod = podEnd(facts.podByAddress(ip, atMs))
  if (pod) return pod
  // before nodes: a node port is at a node's address
  const service = port === 0 ? undefined : facts.serviceByAddress(ip, port, protocol, atMs)
  if (service) return { kind: 'service', name: service.name, namespace: service.namespace }
  return nodeEnd(facts.nodeByAddress(ip, atMs))
}

/** What the client asked for, else for what the pod that answered is one of. */
function serviceOf(
  facts: ClusterFacts,
  { ip, port }: Endpoint,
  protocol: Protocol,
  atMs: number,
): AskedService | undefined {
  const asked = facts.serviceByAddress(ip, port, protocol, atMs)
  if (asked) return { ...asked, by: 'address' }
  const answers = facts.serviceByEndpoint(ip, port, protocol, atMs)
  return answers && { ...answers, by: 'endpoint' }
}

const podEnd = (pod: PodFact | undefined): ClusterEnd | undefined =>
  pod && {
    ...{ kind: 'pod', name: pod.name, namespace: pod.namespace, podUid: pod.uid, labels: pod.labels },
    ...{ ownerKind: pod.workload.kind, ownerName: pod.workload.name, node: pod.node, zone: pod.zone },
  }

const nodeEnd = (node: NodeFact | undefined): ClusterEnd | undefined =>
  node && { kind: 'node', name: node.name, node: node.name, zone: node.zone }

/** As its probe calls it or, when that does not know, the cluster; undefined for what is in no pod. */
export const podOf = ({ facts }: FlowStore, { name, pod }: Place): PodName | undefined =>
  pod ?? (name.pod === undefined ? undefined : facts.podByUid(name.pod))

/** The names of the settings first, then the cluster's own. @param atMs milliseconds since the epoch */
export const rangeOf = (store: FlowStore, ip: string, atMs: number): string =>
  store.subnets.nameOf(ip) || (store.subnets.detects ? store.facts.rangeOf(ip, atMs) : '')

/** When a flow began, milliseconds since the epoch: the time that facts are asked of. */
export function beganMs(store: FlowStore, flow: number): number {
  const { offsetMs } = store.runOf(flow)
  return store.table.number(flow, NUMBER.OPENED) + (offsetMs ?? Date.now() - performance.now())
}

/**
 * @param flow 0 for an end that no probe watches
 * @param far the other end, which sees its address
 */
export function clusterEndOf(
  store: FlowStore,
  flow: number,
  far: number,
  atMs: number,
): ClusterEnd | undefined {
  const { facts, table } = store
  if (!facts.isKnown) return undefined
  if (flow !== 0)
    return watchedEnd(facts, store.runOf(flow).host, store.places.get(table.word(flow, WORD.PLACE))?.name.pod)
  const kind = table.word(far, WORD.KIND)
  const at = endpoint(store, far, 'remote')
  // a client's port says nothing of a Service
  const port = roleOf(kind) === ROLE_SERVER ? 0 : at.port
  return unwatchedEnd(facts, { ...at, port }, protocolOf(kind) === TCP ? 'tcp' : 'udp', atMs)
}

/** The Service of a conversation, as far as its facts tell. */
export function askedService(
  store: FlowStore,
  client: number,
  server: number,
  atMs: number,
): AskedService | undefined {
  if (!store.facts.isKnown) return undefined
  const protocol = protocolOf(store.table.word(client || server, WORD.KIND)) === TCP ? 'tcp' : 'udp'
  const asked = client ? endpoint(store, client, 'remote') : endpoint(store, server, 'local')
  return serviceOf(store.facts, asked, protocol, atMs)
}

export function clusterOf(store: FlowStore, client: number, server: number, atMs: number) {
  if (!store.facts.isKnown) return {}
  const clientCluster = clusterEndOf(store, client, server, atMs)
  const serverCluster = clusterEndOf(store, server, client, atMs)
  const service = askedService(store, client, server, atMs)
  return {
    ...(clientCluster && { clientCluster }),
    ...(serverCluster && { serverCluster }),
    ...(service && { service }),
  }
}
