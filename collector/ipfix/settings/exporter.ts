/** What each node's own view needs; most have the names that Antrea's flow exporter has, and its defaults. */

import { setting } from '../../../wire/settings/settings.ts'
import { duration, oneOf, oneOfAnyCase, text, words, yesNo } from '../../../wire/settings/types.ts'
import { type CollectorAddress, collectorAddress } from '../send/address.ts'
import { AGENT_KEYS } from './antrea_keys.ts'
import { type FeatureGates, gates } from './gates.ts'
import { optional } from './optional.ts'

export const exporterSettings = {
  featureGates: optional<FeatureGates>({
    type: gates(),
    value: '<gates>',
    help: "Antrea's gates, of which FlowExporter is known: true exports to --flow-collector-addr, or where a flow aggregator is by default; false does not",
    keys: ['featureGates'],
  }),
  flowExporterEnable: setting({
    type: yesNo(),
    fallback: true,
    help: 'export to --flow-collector-addr, where there is one',
    keys: ['flowExporter.enable'],
    idle: AGENT_KEYS,
  }),
  flowCollectorAddr: optional<CollectorAddress>({
    type: collectorAddress(),
    value: '<address>',
    help: 'send IPFIX records there as a flow exporter on each node would, one for each end that is a pod: host:port:tcp, udp or tls, of which port 4739 and tcp can be left out; or namespace/service; needs no --flows',
    keys: ['flowCollectorAddr', 'flowExporter.flowCollectorAddr'],
  }),
  flowPollInterval: optional<number>({
    type: duration(1),
    value: '<duration>',
    help: 'accepted, and without effect: nothing is polled, the counters of a flow come with each window of its probe',
    keys: ['flowExporter.flowPollInterval'],
  }),
  activeFlowExportTimeout: setting({
    type: duration(1),
    fallback: 60,
    value: '<duration>',
    help: 'a flow that goes on is exported so often, by the windows of its probe',
    keys: ['flowExporter.activeFlowExportTimeout'],
  }),
  idleFlowExportTimeout: setting({
    type: duration(1),
    fallback: 15,
    value: '<duration>',
    help: 'a flow without a packet for so long is exported as idle, once',
    keys: ['flowExporter.idleFlowExportTimeout'],
  }),
  flowProtocolFilter: setting<('tcp' | 'udp' | 'sctp')[]>({
    type: words(oneOfAnyCase('tcp', 'udp', 'sctp')),
    fallback: [],
    value: '<protocol>',
    list: true,
    help: 'records of these protocols alone, tcp or udp, of the exporter and the aggregator; sctp is not watched',
    keys: ['flowExporter.protocolFilter'],
  }),
  enableTlsToFlowAggregator: setting({
    type: yesNo(),
    fallback: true,
    help: 'speak TLS to --flow-collector-addr, unless that says udp',
  }),
  flowAggregatorAddress: optional<string>({
    type: text(),
    value: '<name>',
    help: "DNS name or IP address that the certificate of --flow-collector-addr is for; by default that address's host",
    keys: ['flowAggregatorAddress'],
  }),
  flowExporterTemplate: setting<'antrea-seed' | 'antrea'>({
    type: oneOf('antrea-seed', 'antrea'),
    fallback: 'antrea-seed',
    value: '<name>',
    help: "elements of an exporter's record, and their order: those of Antrea's first releases, or antrea, of today",
  }),
}
