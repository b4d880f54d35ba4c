/** What a record of both ends needs; most have the names that Antrea's flow aggregator has, and its defaults. */

import { setting } from '../../../wire/settings/settings.ts'
import { duration, oneOf, oneOfAnyCase, text, whole, yesNo } from '../../../wire/settings/types.ts'
import type { RecordFormat } from '../output.ts'
import { type CollectorAddress, collectorAddress } from '../send/address.ts'
import { optional } from './optional.ts'

/** As long as a name of the DNS, which Antrea's own are: RFC 1035, 2.3.4. */
const MAX_CLUSTER_ID = 253

export const aggregatorSettings = {
  externalFlowCollectorAddr: optional<CollectorAddress>({
    type: collectorAddress(),
    value: '<address>',
    help: 'send IPFIX records there as a flow aggregator would, one for both ends of a conversation: host:port:tcp, udp or tls, of which port 4739 and tcp can be left out; implies --flows',
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
    help: 'the aggregator exports a conversation that goes on so often; it waits three times as long for an end that a probe should tell of',
  }),
  aggregatorTransportProtocol: optional<'tls' | 'tcp' | 'udp' | 'none'>({
    type: oneOf('tls', 'tcp', 'udp', 'none'),
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
  ipfixFormat: setting<RecordFormat>({
    type: oneOf('ipfix', 'json'),
    fallback: 'ipfix',
    value: '<format>',
    help: 'of what goes to --external-flow-collector-addr: IPFIX, or a line of JSON for each record with the same names',
  }),
  ipfixDomain: optional<number>({
    type: whole(0, 4_294_967_295),
    value: '<number>',
    help: "observation domain of the aggregator's records; by default made of this host's name. An exporter's records have one for each node",
  }),
}
