/** Who is at either end of a conversation: as its probes say it, else as the cluster does. */

import type { Conversation, End } from '../../flows/conversation.ts'
import type { ClusterEnd } from '../../flows/ends/cluster_ends.ts'
import type { ClusterNames, PodNamed, ServiceNamed } from './cluster.ts'
import { type Endpoint, FLOW_TYPE, type Place, type ServiceAsked } from './record.ts'

/** Conversations that are told: those with a pod at one end, as Antrea does it, or all. */
export type Scope = 'pods' | 'all'

export const NOWHERE: Place = { pod: '', namespace: '', node: '' }

export interface AtEnd {
  readonly place: Place
  /** A pod, or with scope `all` whatever a probe watches. */
  readonly isPod: boolean
  /** A probe has told of it. */
  readonly isTold: boolean
  /** None has, and one should: it watches the node. */
  readonly isExpected: boolean
}

export interface Surroundings {
  readonly cluster: ClusterNames
  readonly scope: Scope
  /** Names of nodes with a probe. */
  readonly isWatched: (node: string) => boolean
  /** The other end's address is one of another machine that a probe watches; of a conversation with one end. */
  readonly isPeerElsewhere: boolean
  /** It is the address of a machine itself. */
  readonly isNode: (ip: string) => boolean
}

export interface Ends {
  readonly client: AtEnd
  readonly server: AtEnd
  readonly service?: ServiceAsked
  readonly type: number
}

export function endsOf(conversation: Conversation, around: Surroundings): Ends {
  const { client, server, asked, protocol, opened } = conversation
  const asks = around.cluster.serviceByAddress(asked.ip, asked.port, protocol, opened * 1000)
  const at = {
    client: client
      ? told(client, conversation.clientCluster, around)
      : untoldClient(conversation, server!, around),
    server: server
      ? told(server, conversation.serverCluster, around)
      : asks
        ? behind(protocol)
        : untold(conversation, client!, asked, around),
  }
  const service = asks && serviceOf(asks, asked)
  return { ...at, ...(service && { service }), type: typeOf(conversation, at.client, at.server) }
}

/** A probe gives those labels that the settings name; the cluster has all of them. */
function told(end: End, cluster: ClusterEnd | undefined, { scope }: Surroundings): AtEnd {
  const { host, pod, namespace = '' } = end
  const isPod = pod !== undefined || scope === 'all'
  const labels = cluster?.labels ?? end.labels
  const known = pod === undefined ? {} : { pod, namespace, ...(labels && { labels }) }
  return {
    place: { ...NOWHERE, ...known, node: isPod ? host : '' },
    ...{ isPod, isTold: true, isExpected: false },
  }
}

/**
 * Behind the address of a node is its NAT, before a client from outside (externalTrafficPolicy: Cluster): of a client there, its probe
 * would have told.
 */
function untoldClient(conversation: Conversation, known: End, around: Surroundings): AtEnd {
  const { source } = conversation
  if (!around.isNode(source.ip)) return untold(conversation, known, source, around)
  return { place: NOWHERE, isPod: false, isTold: false, isExpected: false }
}

function untold({ opened }: Conversation, known: End, { ip }: Endpoint, around: Surroundings): AtEnd {
  const pod = around.cluster.podByAddress(ip, opened * 1000)
  if (pod === undefined)
    return {
      place: NOWHERE,
      ...{ isPod: around.isPeerElsewhere, isTold: false, isExpected: around.isPeerElsewhere },
    }
  const isExpected = pod.node !== known.host && around.isWatched(pod.node)
  return { place: placeOf(pod), isPod: true, isTold: false, isExpected }
}

const placeOf = ({ namespace, name, node, labels }: PodNamed): Place => ({
  ...{ pod: name, namespace, node, labels },
})

/** Some pod of a Service. The two ends of a datagram to a Service are never joined: nothing is waited for. */
const behind = (protocol: string): AtEnd => ({
  ...{ place: NOWHERE, isPod: true, isTold: false, isExpected: protocol === 'tcp' },
})

/** @param asked stands for the address of a Service that has none of its own */
const serviceOf = (
  { namespace, name, portName, port, clusterIP }: ServiceNamed,
  asked: Endpoint,
): ServiceAsked => ({
  name: `${namespace}/${name}:${portName}`,
  ip: clusterIP || asked.ip,
  port,
})

function typeOf({ client, server, protocol }: Conversation, atClient: AtEnd, atServer: AtEnd): number {
  if (atClient.isPod && atServer.isPod) {
    const nodes = [client?.host ?? atClient.place.node, server?.host ?? atServer.place.node]
    if (nodes[0] === nodes[1]) return FLOW_TYPE.intraNode
    // both ends on one node would have been joined, but for datagrams to a Service
    if (protocol === 'udp' && nodes.includes('')) return FLOW_TYPE.unspecified
    return FLOW_TYPE.interNode
  }
  if (atClient.isPod) return FLOW_TYPE.toExternal
  return atServer.isPod ? FLOW_TYPE.fromExternal : FLOW_TYPE.unspecified
}
