/** Which elements a record has, and in which order: a receiver goes by the template, and people compare it with what they know. */

import type { ElementName } from './elements.ts'
import { type Identifiers, identified } from './identifiers.ts'

export type Family = 4 | 6
type Names = readonly ElementName[]

/** Template ids: RFC 7011, 3.4.1 has those from 256 on. */
const TEMPLATE_IDS: Readonly<Record<Family, number>> = { 4: 256, 6: 257 }

const WHEN_AND_HOW_MUCH: Names = [
  ...(['flowStartSeconds', 'flowEndSeconds', 'flowEndReason'] as const),
  ...(['sourceTransportPort', 'destinationTransportPort', 'protocolIdentifier'] as const),
  ...(['packetTotalCount', 'octetTotalCount', 'packetDeltaCount', 'octetDeltaCount'] as const),
]
const ADDRESSES: Readonly<Record<Family, Names>> = {
  4: ['sourceIPv4Address', 'destinationIPv4Address'],
  6: ['sourceIPv6Address', 'destinationIPv6Address'],
}
const BACK: Names = [
  ...(['reversePacketTotalCount', 'reverseOctetTotalCount'] as const),
  ...(['reversePacketDeltaCount', 'reverseOctetDeltaCount'] as const),
]
const PLACES: Names = [
  ...(['sourcePodName', 'sourcePodNamespace', 'sourceNodeName'] as const),
  ...(['destinationPodName', 'destinationPodNamespace', 'destinationNodeName'] as const),
  ...(['destinationServicePort', 'destinationServicePortName'] as const),
]
const POLICIES_OF_THE_SEED: Names = [
  ...(['ingressNetworkPolicyName', 'ingressNetworkPolicyNamespace'] as const),
  ...(['egressNetworkPolicyName', 'egressNetworkPolicyNamespace'] as const),
]
const POLICIES: Names = [
  ...(['ingressNetworkPolicyName', 'ingressNetworkPolicyNamespace', 'ingressNetworkPolicyType'] as const),
  ...(['ingressNetworkPolicyRuleName', 'ingressNetworkPolicyRuleAction'] as const),
  ...(['egressNetworkPolicyName', 'egressNetworkPolicyNamespace', 'egressNetworkPolicyType'] as const),
  ...(['egressNetworkPolicyRuleName', 'egressNetworkPolicyRuleAction'] as const),
]
const EGRESS: Names = ['egressName', 'egressIP', 'egressNodeName']

const COUNTS = ['DeltaCount', 'TotalCount'] as const
type Direction = 'octet' | 'packet' | 'reverseOctet' | 'reversePacket'
const fromNode = (direction: Direction, count: (typeof COUNTS)[number], node: 'Source' | 'Destination') =>
  `${direction}${count}From${node}Node` as const
const FORWARD = ['octet', 'packet'] as const
const BACKWARD = ['reverseOctet', 'reversePacket'] as const

/** 123, 121, 122, 120, 127, 125, 126, 124, then 131, 129, 130, 128, 135, 133, 134, 132. */
const BY_NODE: Names = (['Source', 'Destination'] as const).flatMap(node =>
  [FORWARD, BACKWARD].flatMap(directions =>
    directions.flatMap(direction => COUNTS.map(count => fromNode(direction, count, node))),
  ),
)
/** The same, each number of the source's node before that of the destination's. */
const BY_NUMBER: Names = [...FORWARD, ...BACKWARD].flatMap(direction =>
  COUNTS.flatMap(count => (['Source', 'Destination'] as const).map(node => fromNode(direction, count, node))),
)

const v = <const N extends string>(name: N, family: Family) => `${name}${family}` as `${N}4` | `${N}6`
const head = (family: Family): Names => [...WHEN_AND_HOW_MUCH, ...ADDRESSES[family], ...BACK, ...PLACES]
const seed = (family: Family): Names => [
  ...head(family),
  ...POLICIES_OF_THE_SEED,
  'tcpState',
  'flowType',
  v('destinationClusterIPv', family),
]
const today = (family: Family): Names => [
  ...head(family),
  ...POLICIES,
  ...(['tcpState', 'flowType'] as const),
  ...EGRESS,
  'proxySnatPort',
]

const aggregated = (family: Family): Names => [
  ...today(family),
  v('proxySnatIPv', family),
  v('destinationClusterIPv', family),
  v('destinationServiceIPv', family),
]
const LABELS: Names = ['sourcePodLabels', 'destinationPodLabels', 'clusterId']

/** By name: what exporters and aggregators have sent at first, and what they send today. */
export const PROFILES = {
  'antrea-seed': seed,
  'aggregate-seed': (family: Family): Names => [
    ...seed(family),
    family === 4 ? 'originalExporterIPv4Address' : 'originalExporterIPv6Address',
    'originalObservationDomainId',
    ...BY_NODE,
  ],
  antrea: (family: Family): Names => [
    ...today(family),
    v('destinationClusterIPv', family),
    v('proxySnatIPv', family),
    v('destinationServiceIPv', family),
  ],
  aggregate: (family: Family): Names => [
    ...aggregated(family),
    ...BY_NUMBER,
    ...(['flowEndSecondsFromSourceNode', 'flowEndSecondsFromDestinationNode'] as const),
    ...(['throughput', 'throughputFromSourceNode', 'throughputFromDestinationNode'] as const),
    ...(['reverseThroughput', 'reverseThroughputFromSourceNode'] as const),
    'reverseThroughputFromDestinationNode',
    ...LABELS,
  ],
  /** Of an aggregator that joins nothing. */
  proxy: (family: Family): Names => [
    ...aggregated(family),
    ...LABELS,
    'originalObservationDomainId',
    ...(['originalExporterIPv4Address', 'originalExporterIPv6Address', 'flowDirection'] as const),
  ],
} as const satisfies Readonly<Record<string, (family: Family) => Names>>

export type Profile = keyof typeof PROFILES
/** Unit of the times of start and end. */
export type TimeUnit = 's' | 'ms'

const MILLISECONDS: Readonly<Partial<Record<ElementName, ElementName>>> = {
  flowStartSeconds: 'flowStartMilliseconds',
  flowEndSeconds: 'flowEndMilliseconds',
}

export interface Template {
  readonly id: number
  readonly family: Family
  readonly names: Names
}

export function templateOf(
  profile: Profile,
  family: Family,
  times: TimeUnit = 's',
  identifiers: Identifiers = { names: true, uids: false },
): Template {
  const names = identified(PROFILES[profile](family), identifiers)
  const named = times === 's' ? names : names.map(name => MILLISECONDS[name] ?? name)
  return { id: TEMPLATE_IDS[family], family, names: named }
}
