/** What a record of both ends needs; most have the names that Antrea's flow aggregator has, and its defaults. */

import { setting } from '../../../wire/settings/settings.ts'
import { duration, oneOf, oneOfAnyCase, text, whole, yesNo } from '../../../wire/settings/types.ts'
import type { RecordFormat } from '../output.ts'
import { type CollectorAddress, collectorAddress } from '../send/address.ts'
import { AGGREGATOR_KEYS } from './antrea_keys.ts'
import { optional } from './optional.ts'

/** As long as a name of the DNS, which Antrea's own are: RFC 1035, 2.3.4. */
const MAX_CLUSTER_ID = 253

export const aggregatorSettings = {
  externalFlowCollectorEnable: setting({
    type: yesNo(),
    fallback: true,
    help: 'send to --external-flow-collector-addr, where there is one',
    keys: ['flowCollector.enable'],
    idle: AGGREGATOR_KEYS,
  }),
  externalFlowCollectorAddr: optional<CollectorAddress>({
    type: collectorAddress(),
    value: '<address>',
    help: 'send IPFIX records there as a flow aggregator would, one for both ends of a conversation: host:port:tcp, udp or tls, of which port 4739 and tcp can be left out; needs no --flows',
    keys: ['externalFlowCollectorAddr', 'flowCollector.address'],
  }),
  externalFlowCollectorTls: setting({
    type: yesNo(),
    fallback: false,
    help: 'speak TLS to --external-flow-collector-addr, also where that says tcp',
    keys: ['flowCollector.tls.enable'],
  }),
  externalFlowCollectorName: optional<string>({
    type: text(),
    value: '<name>',
    help: "DNS name or IP address that the certificate of --external-flow-collector-addr is for; by default that address's host",
    keys: ['flowCollector.tls.serverName'],
  }),
  flowAggregatorMode: setting<'aggregate' | 'proxy'>({
    type: oneOfAnyCase('aggregate', 'proxy'),
    fallback: 'aggregate',
    value: '<mode>',
    help: 'aggregate joins both ends of a conversation to one record; proxy sends what each node has seen of it, as soon as that is known, by --active-flow-export-timeout and with the elements of today',
    keys: ['mode'],
  }),
  flowExportInterval: setting({
    type: duration(1),
    fallback: 60,
    value: '<duration>',
    help: 'the aggregator exports a conversation that goes on so often; it waits three times as long for an end that a probe should report',
    keys: ['activeFlowRecordTimeout'],
  }),
  aggregatorTransportProtocol: optional<'tls' | 'tcp' | 'udp' | 'none'>({
    type: oneOfAnyCase('tls', 'tcp', 'udp', 'none'),
    value: '<protocol>',
    help: 'accepted, and without effect: IPFIX of other exporters is not taken, probes speak to --listen',
  }),
  flowAggregatorTemplate: setting<'aggregate-seed' | 'aggregate'>({
    type: oneOf('aggregate-seed', 'aggregate'),
    fallback: 'aggregate-seed',
    value: '<name>',
    help: "elements of an aggregator's record, and their order: those of Antrea's first releases, or aggregate, of today",
  }),
  ipfixClusterId: optional<string>({
    type: text().max(MAX_CLUSTER_ID, `needs an id of at most ${MAX_CLUSTER_ID} characters`),
    value: '<id>',
    help: "which cluster an aggregator's records are of, their clusterId (element 158); needs --flow-aggregator-template aggregate",
    keys: ['clusterID'],
  }),
  ipfixNames: setting({
    type: yesNo(),
    fallback: true,
    help: 'names of pods, nodes, Services and policies in records of --flow-aggregator-template aggregate',
    keys: ['flowCollector.includeK8sNames'],
  }),
  ipfixUids: setting({
    type: yesNo(),
    fallback: false,
    help: 'UIDs of pods, nodes and Services in records of --flow-aggregator-template aggregate (elements 159 to 167), of the latter from --cluster-from',
    keys: ['flowCollector.includeK8sUIDs'],
  }),
  ipfixPodLabels: setting({
    type: yesNo(),
    fallback: true,
    help: 'labels of pods in records of --flow-aggregator-template aggregate; without them the elements are empty',
    keys: ['recordContents.podLabels'],
  }),
  ipfixFormat: setting<RecordFormat>({
    type: oneOfAnyCase('ipfix', 'json'),
    fallback: 'ipfix',
    value: '<format>',
    help: 'of what goes to --external-flow-collector-addr: IPFIX, or a line of JSON for each record with the same names',
    keys: ['flowCollector.recordFormat'],
  }),
  ipfixDomain: optional<number>({
    type: whole(0, 4_294_967_295),
    value: '<number>',
    help: "observation domain of the aggregator's records; by default made of this host's name. An exporter's records have one for each node",
    keys: ['flowCollector.observationDomainID'],
  }),
}
