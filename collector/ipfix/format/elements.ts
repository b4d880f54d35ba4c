/**
 * Information elements by name: those of IANA (RFC 7012), their reverse ones (RFC 5103, enterprise 29305), and those of Antrea
 * (enterprise 56506). Ids and types are what receivers know them by.
 */

export type ElementType =
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'seconds'
  | 'milliseconds'
  | 'ipv4'
  | 'ipv6'
  | 'string'
  /** Sixteen octets. */
  | 'uuid'

export interface Element {
  readonly id: number
  /** Private enterprise number; 0: IANA. */
  readonly enterprise: number
  readonly type: ElementType
}

const REVERSE = 29305
const ANTREA = 56506

const of =
  (enterprise: number) =>
  (id: number, type: ElementType): Element => ({ id, enterprise, type })
const [iana, reverse, antrea] = [of(0), of(REVERSE), of(ANTREA)]

export const ELEMENTS = {
  flowStartSeconds: iana(150, 'seconds'),
  flowEndSeconds: iana(151, 'seconds'),
  flowStartMilliseconds: iana(152, 'milliseconds'),
  flowEndMilliseconds: iana(153, 'milliseconds'),
  flowEndReason: iana(136, 'u8'),
  sourceTransportPort: iana(7, 'u16'),
  destinationTransportPort: iana(11, 'u16'),
  protocolIdentifier: iana(4, 'u8'),
  packetTotalCount: iana(86, 'u64'),
  octetTotalCount: iana(85, 'u64'),
  packetDeltaCount: iana(2, 'u64'),
  octetDeltaCount: iana(1, 'u64'),
  sourceIPv4Address: iana(8, 'ipv4'),
  destinationIPv4Address: iana(12, 'ipv4'),
  sourceIPv6Address: iana(27, 'ipv6'),
  destinationIPv6Address: iana(28, 'ipv6'),
  flowDirection: iana(61, 'u8'),
  originalExporterIPv4Address: iana(403, 'ipv4'),
  originalExporterIPv6Address: iana(404, 'ipv6'),
  originalObservationDomainId: iana(405, 'u32'),
  reversePacketTotalCount: reverse(86, 'u64'),
  reverseOctetTotalCount: reverse(85, 'u64'),
  reversePacketDeltaCount: reverse(2, 'u64'),
  reverseOctetDeltaCount: reverse(1, 'u64'),
  sourcePodNamespace: antrea(100, 'string'),
  sourcePodName: antrea(101, 'string'),
  destinationPodNamespace: antrea(102, 'string'),
  destinationPodName: antrea(103, 'string'),
  sourceNodeName: antrea(104, 'string'),
  destinationNodeName: antrea(105, 'string'),
  destinationClusterIPv4: antrea(106, 'ipv4'),
  destinationClusterIPv6: antrea(107, 'ipv6'),
  destinationServicePort: antrea(108, 'u16'),
  destinationServicePortName: antrea(109, 'string'),
  ingressNetworkPolicyName: antrea(110, 'string'),
  ingressNetworkPolicyNamespace: antrea(111, 'string'),
  egressNetworkPolicyName: antrea(112, 'string'),
  egressNetworkPolicyNamespace: antrea(113, 'string'),
  ingressNetworkPolicyType: antrea(115, 'u8'),
  egressNetworkPolicyType: antrea(118, 'u8'),
  packetTotalCountFromSourceNode: antrea(120, 'u64'),
  octetTotalCountFromSourceNode: antrea(121, 'u64'),
  packetDeltaCountFromSourceNode: antrea(122, 'u64'),
  octetDeltaCountFromSourceNode: antrea(123, 'u64'),
  reversePacketTotalCountFromSourceNode: antrea(124, 'u64'),
  reverseOctetTotalCountFromSourceNode: antrea(125, 'u64'),
  reversePacketDeltaCountFromSourceNode: antrea(126, 'u64'),
  reverseOctetDeltaCountFromSourceNode: antrea(127, 'u64'),
  packetTotalCountFromDestinationNode: antrea(128, 'u64'),
  octetTotalCountFromDestinationNode: antrea(129, 'u64'),
  packetDeltaCountFromDestinationNode: antrea(130, 'u64'),
  octetDeltaCountFromDestinationNode: antrea(131, 'u64'),
  reversePacketTotalCountFromDestinationNode: antrea(132, 'u64'),
  reverseOctetTotalCountFromDestinationNode: antrea(133, 'u64'),
  reversePacketDeltaCountFromDestinationNode: antrea(134, 'u64'),
  reverseOctetDeltaCountFromDestinationNode: antrea(135, 'u64'),
  tcpState: antrea(136, 'string'),
  flowType: antrea(137, 'u8'),
  ingressNetworkPolicyRuleAction: antrea(139, 'u8'),
  egressNetworkPolicyRuleAction: antrea(140, 'u8'),
  ingressNetworkPolicyRuleName: antrea(141, 'string'),
  egressNetworkPolicyRuleName: antrea(142, 'string'),
  sourcePodLabels: antrea(143, 'string'),
  destinationPodLabels: antrea(144, 'string'),
  throughput: antrea(145, 'u64'),
  reverseThroughput: antrea(146, 'u64'),
  throughputFromSourceNode: antrea(147, 'u64'),
  throughputFromDestinationNode: antrea(148, 'u64'),
  reverseThroughputFromSourceNode: antrea(149, 'u64'),
  reverseThroughputFromDestinationNode: antrea(150, 'u64'),
  flowEndSecondsFromSourceNode: antrea(151, 'seconds'),
  flowEndSecondsFromDestinationNode: antrea(152, 'seconds'),
  egressName: antrea(153, 'string'),
  egressIP: antrea(154, 'string'),
  egressNodeName: antrea(157, 'string'),
  clusterId: antrea(158, 'string'),
  sourcePodUUID: antrea(159, 'uuid'),
  destinationPodUUID: antrea(160, 'uuid'),
  sourceNodeUUID: antrea(161, 'uuid'),
  destinationNodeUUID: antrea(162, 'uuid'),
  destinationServiceUUID: antrea(163, 'uuid'),
  ingressNetworkPolicyUUID: antrea(164, 'uuid'),
  egressNetworkPolicyUUID: antrea(165, 'uuid'),
  egressUUID: antrea(166, 'uuid'),
  egressNodeUUID: antrea(167, 'uuid'),
  destinationServiceIPv4: antrea(168, 'ipv4'),
  destinationServiceIPv6: antrea(169, 'ipv6'),
  proxySnatIPv4: antrea(170, 'ipv4'),
  proxySnatIPv6: antrea(171, 'ipv6'),
  proxySnatPort: antrea(172, 'u16'),
} as const satisfies Readonly<Record<string, Element>>

export type ElementName = keyof typeof ELEMENTS
