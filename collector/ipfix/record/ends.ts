/** Who is at either end of a conversation: as its probes say it, else as the cluster does. */

import type { ClusterFacts } from '../../cluster/facts.ts'
import type { Conversation, End } from '../../flows/conversation.ts'
import type { AskedService, ClusterEnd } from '../../flows/ends/cluster_ends.ts'
import { type Endpoint, FLOW_TYPE, type Place, type ServiceAsked } from './record.ts'

/** Conversations that are told: those with a pod at one end, as Antrea does it, or all. */
export type Scope = 'pods' | 'all'

export const NOWHERE: Place = { pod: '', namespace: '', node: '' }

/** Who may yet tell of an end, besides the number of a probe's run. */
export const NOBODY = 0
export const ANYBODY = -1

export interface AtEnd {
  readonly place: Place
  /** A pod, or with scope `all` whatever a probe watches. */
  readonly isPod: boolean
  /** A probe has told of it. */
  readonly isTold: boolean
  /** Whose probe would tell of it: the number of a run, ANYBODY or NOBODY. */
  readonly awaited: number
}

export interface Surroundings {
  readonly facts: ClusterFacts
  readonly scope: Scope
  /** Names of the nodes whose probes have told of either end; '' for an end that none has. */
  readonly nodes: { readonly client: string; readonly server: string }
  /** The number of the run of a node's probe; NOBODY: it has none. */
  readonly probeOf: (node: string) => number
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
  const { client, server, clientCluster, serverCluster, source, asked, service: found } = conversation
  const { nodes } = around
  // one that was found by its endpoint was not asked for
  const asks = found?.by === 'address' ? found : undefined
  const at = {
    client: client
      ? told(client, clientCluster, nodes.client, around)
      : untold(clientCluster, source, nodes.server, around),
    server: server
      ? told(server, serverCluster, nodes.server, around)
      : asks
        ? behind(asks, conversation, around)
        : untold(serverCluster, asked, nodes.client, around),
  }
  const service = asks && serviceOf(asks, asked)
  return { ...at, ...(service && { service }), type: typeOf(conversation, at.client, at.server) }
}

/** A probe gives those labels that the settings name; the cluster has all of them. */
function told(end: End, cluster: ClusterEnd | undefined, host: string, around: Surroundings): AtEnd {
  const { pod, namespace = '', podUid: uid = '', podLabels } = end
  const isPod = pod !== undefined || around.scope === 'all'
  const labels = cluster?.labels ?? podLabels
  const known = pod === undefined ? {} : { pod, namespace, uid, ...(labels && { labels }) }
  return {
    place: { ...NOWHERE, ...known, ...(isPod && onNode(cluster?.node || host, around)) },
    ...{ isPod, isTold: true, awaited: NOBODY },
  }
}

/** @param known node of the other end, whose probe would have told of both */
function untold(
  cluster: ClusterEnd | undefined,
  { ip }: Endpoint,
  known: string,
  around: Surroundings,
): AtEnd {
  const { node = '', labels, name: pod, namespace = '', podUid: uid } = cluster ?? { name: '' }
  if (cluster?.kind === 'pod') {
    const awaited = node === known ? NOBODY : around.probeOf(node)
    const place = { pod, namespace, ...(uid && { uid }), ...(labels && { labels }), ...onNode(node, around) }
    return { place, isPod: true, isTold: false, awaited }
  }
  // a node's address: a process of the machine itself, or somebody masqueraded there (externalTrafficPolicy: Cluster)
  const isNode = cluster?.kind === 'node' || around.isNode(ip)
  const awaited = !around.isPeerElsewhere ? NOBODY : isNode ? around.probeOf(node) : ANYBODY
  return { place: NOWHERE, isPod: around.isPeerElsewhere && !isNode, isTold: false, awaited }
}

const onNode = (node: string, { facts }: Surroundings) => ({
  ...{ node, nodeUid: facts.nodeByName(node)?.uid ?? '' },
})

/** Some pod of a Service, or what answers for one outside of pods. The two ends of a datagram to a Service are never joined. */
function behind(
  { namespace, name }: AskedService,
  { protocol }: Conversation,
  { facts }: Surroundings,
): AtEnd {
  const isPod = facts.answeredByPods(namespace, name)
  return { place: NOWHERE, isPod, isTold: false, awaited: protocol === 'tcp' ? ANYBODY : NOBODY }
}

/** @param asked stands for the address of a Service that has none of its own */
const serviceOf = (
  { uid, namespace, name, portName, port, clusterIP }: AskedService,
  asked: Endpoint,
): ServiceAsked => ({
  name: `${namespace}/${name}:${portName}`,
  ip: clusterIP || asked.ip,
  ...{ port, uid },
})

function typeOf({ protocol }: Conversation, atClient: AtEnd, atServer: AtEnd): number {
  if (atClient.isPod && atServer.isPod) {
    const nodes = [atClient.place.node, atServer.place.node]
    if (nodes[0] === nodes[1]) return FLOW_TYPE.intraNode
    // both ends on one node would have been joined, but for datagrams to a Service
    if (protocol === 'udp' && nodes.includes('')) return FLOW_TYPE.unspecified
    return FLOW_TYPE.interNode
  }
  if (atClient.isPod) return FLOW_TYPE.toExternal
  return atServer.isPod ? FLOW_TYPE.fromExternal : FLOW_TYPE.unspecified
}
