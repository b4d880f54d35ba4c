/** What each element has of a record. What nobody here knows (policies, egress gateways) is empty, as it is where there are none. */

import type { Carried } from '../../flows/conversation.ts'
import type { ElementName } from '../format/elements.ts'
import type { Value } from '../format/encode.ts'
import { domainOf } from '../format/message.ts'
import { FLOW_TYPE, type IpfixRecord, type NodeCounts, type Place } from './record.ts'

type Read = (record: IpfixRecord) => Value

const NONE: Carried = { bytes: 0, packets: 0, revBytes: 0, revPackets: 0 }
const nothing: Read = () => ''
const zero: Read = () => 0

/** Bits a second. */
const throughput = (bytes: number, seconds: number): number =>
  seconds > 0 ? Math.trunc((8 * bytes) / seconds) : 0

/** `{}`: it has none; nothing: it is not known. */
const labelsOf = ({ labels }: Place): string => (labels === undefined ? '' : JSON.stringify(labels))

type NodeElement = Extract<ElementName, `${string}From${'Source' | 'Destination'}Node`>
type Node = 'Source' | 'Destination'
type OfNode<N extends Node> = Readonly<Record<Extract<NodeElement, `${string}From${N}Node`>, Read>>

function ofNode<const N extends Node>(node: N, countsOf: (record: IpfixRecord) => NodeCounts | undefined) {
  const total = (field: keyof Carried) => (record: IpfixRecord) => (countsOf(record)?.total ?? NONE)[field]
  const since = (field: keyof Carried) => (record: IpfixRecord) => (countsOf(record)?.since ?? NONE)[field]
  const rate = (field: keyof Carried) => (record: IpfixRecord) => {
    const counts = countsOf(record)
    return counts ? throughput(counts.since[field], counts.seconds) : 0
  }
  return {
    [`packetTotalCountFrom${node}Node`]: total('packets'),
    [`octetTotalCountFrom${node}Node`]: total('bytes'),
    [`packetDeltaCountFrom${node}Node`]: since('packets'),
    [`octetDeltaCountFrom${node}Node`]: since('bytes'),
    [`reversePacketTotalCountFrom${node}Node`]: total('revPackets'),
    [`reverseOctetTotalCountFrom${node}Node`]: total('revBytes'),
    [`reversePacketDeltaCountFrom${node}Node`]: since('revPackets'),
    [`reverseOctetDeltaCountFrom${node}Node`]: since('revBytes'),
    [`throughputFrom${node}Node`]: rate('bytes'),
    [`reverseThroughputFrom${node}Node`]: rate('revBytes'),
    [`flowEndSecondsFrom${node}Node`]: record => countsOf(record)?.end ?? 0,
  } as Record<string, Read> as OfNode<N>
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1000)

/** IANA's flowDirection, as the node of a record sees it. */
const DIRECTION = { ingress: 0, egress: 1, unknown: 255 } as const

function directionOf({ type, fromSource, fromDestination }: IpfixRecord): number {
  if (type === FLOW_TYPE.toExternal) return DIRECTION.egress
  if (type === FLOW_TYPE.fromExternal) return DIRECTION.ingress
  const isOfOne = (fromSource === undefined) !== (fromDestination === undefined)
  if (type !== FLOW_TYPE.interNode || !isOfOne) return DIRECTION.unknown
  return fromSource ? DIRECTION.egress : DIRECTION.ingress
}

export const VALUES: Readonly<Record<ElementName, Read>> = {
  flowStartSeconds: ({ start }) => start,
  flowEndSeconds: ({ end }) => end,
  flowStartMilliseconds: ({ start }) => milliseconds(start),
  flowEndMilliseconds: ({ end }) => milliseconds(end),
  flowEndReason: ({ reason }) => reason,
  sourceTransportPort: ({ source }) => source.port,
  destinationTransportPort: ({ destination }) => destination.port,
  protocolIdentifier: ({ protocol }) => protocol,
  packetTotalCount: ({ total }) => total.packets,
  octetTotalCount: ({ total }) => total.bytes,
  packetDeltaCount: ({ since }) => since.packets,
  octetDeltaCount: ({ since }) => since.bytes,
  sourceIPv4Address: ({ source }) => source.ip,
  destinationIPv4Address: ({ destination }) => destination.ip,
  sourceIPv6Address: ({ source }) => source.ip,
  destinationIPv6Address: ({ destination }) => destination.ip,
  originalExporterIPv4Address: ({ nodeAddress }) => (nodeAddress.includes(':') ? '' : nodeAddress),
  originalExporterIPv6Address: ({ nodeAddress }) => (nodeAddress.includes(':') ? nodeAddress : ''),
  flowDirection: directionOf,
  originalObservationDomainId: ({ node }) => domainOf(node),
  reversePacketTotalCount: ({ total }) => total.revPackets,
  reverseOctetTotalCount: ({ total }) => total.revBytes,
  reversePacketDeltaCount: ({ since }) => since.revPackets,
  reverseOctetDeltaCount: ({ since }) => since.revBytes,
  sourcePodNamespace: ({ client }) => client.namespace,
  sourcePodName: ({ client }) => client.pod,
  destinationPodNamespace: ({ server }) => server.namespace,
  destinationPodName: ({ server }) => server.pod,
  sourceNodeName: ({ client }) => client.node,
  destinationNodeName: ({ server }) => server.node,
  destinationClusterIPv4: ({ service }) => service?.ip ?? '',
  destinationClusterIPv6: ({ service }) => service?.ip ?? '',
  destinationServicePort: ({ service }) => service?.port ?? 0,
  destinationServicePortName: ({ service }) => service?.name ?? '',
  ingressNetworkPolicyName: nothing,
  ingressNetworkPolicyNamespace: nothing,
  egressNetworkPolicyName: nothing,
  egressNetworkPolicyNamespace: nothing,
  ingressNetworkPolicyType: zero,
  egressNetworkPolicyType: zero,
  ...ofNode('Source', ({ fromSource }) => fromSource),
  ...ofNode('Destination', ({ fromDestination }) => fromDestination),
  tcpState: ({ state }) => state,
  flowType: ({ type }) => type,
  ingressNetworkPolicyRuleAction: zero,
  egressNetworkPolicyRuleAction: zero,
  ingressNetworkPolicyRuleName: nothing,
  egressNetworkPolicyRuleName: nothing,
  sourcePodLabels: ({ client }) => labelsOf(client),
  destinationPodLabels: ({ server }) => labelsOf(server),
  throughput: ({ since, seconds }) => throughput(since.bytes, seconds),
  reverseThroughput: ({ since, seconds }) => throughput(since.revBytes, seconds),
  egressName: nothing,
  egressIP: nothing,
  egressNodeName: nothing,
  clusterId: nothing,
  sourcePodUUID: ({ client }) => client.uid ?? '',
  destinationPodUUID: ({ server }) => server.uid ?? '',
  sourceNodeUUID: ({ client }) => client.nodeUid ?? '',
  destinationNodeUUID: ({ server }) => server.nodeUid ?? '',
  destinationServiceUUID: ({ service }) => service?.uid ?? '',
  ingressNetworkPolicyUUID: nothing,
  egressNetworkPolicyUUID: nothing,
  egressUUID: nothing,
  egressNodeUUID: nothing,
  destinationServiceIPv4: ({ service }) => service?.ip ?? '',
  destinationServiceIPv6: ({ service }) => service?.ip ?? '',
  proxySnatIPv4: ({ snat }) => snat?.ip ?? '',
  proxySnatIPv6: ({ snat }) => snat?.ip ?? '',
  proxySnatPort: ({ snat }) => snat?.port ?? 0,
}
