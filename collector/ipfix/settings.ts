/** The settings of the exporter and the aggregator; most have the names that Antrea's have, and their defaults. */

import { z } from 'zod'
import { setting } from '../../wire/settings/settings.ts'
import { bytes, duration, oneOf, text, whole, yesNo } from '../../wire/settings/types.ts'
import type { TimeUnit } from './format/templates.ts'
import type { RecordFormat } from './output.ts'
import type { Scope } from './record/ends.ts'
import { type CollectorAddress, collectorAddress } from './send/address.ts'

export type FeatureGates = Readonly<Record<string, boolean>>

const GATES = 'needs gates such as FlowExporter=true'
const WORDS = new Map([
  ['true', true],
  ['false', false],
])
/** `FlowExporter=true,…`, or a mapping of the file. */
const gates = () =>
  z.unknown().transform((given, context): FeatureGates => {
    const pairs =
      typeof given === 'object' && given !== null && !Array.isArray(given)
        ? Object.entries(given)
        : [given]
            .flat()
            .flatMap(text => String(text).split(','))
            .map(text => text.trim().split('='))
    const found = pairs.map(([name = '', value]) => [name, WORDS.get(String(value))] as const)
    if (found.every(([name, value]) => /^\w+$/.test(name) && value !== undefined))
      return Object.fromEntries(found) as FeatureGates
    context.addIssue({ code: 'custom', message: GATES })
    return z.NEVER
  })

const optional = <T>(row: { type: z.ZodType<T>; value: string; help: string }) =>
  setting<T | undefined>({ ...row, fallback: undefined })

export const ipfixSettings = {
  featureGates: optional<FeatureGates>({
    type: gates(),
    value: '<gates>',
    help: "Antrea's gates, of which FlowExporter is known: true exports to --flow-collector-addr, or where a flow aggregator is by default; false does not",
  }),
  flowCollectorAddr: optional<CollectorAddress>({
    type: collectorAddress(),
    value: '<address>',
    help: 'send IPFIX records there as a flow exporter on each node would, one for each end that is a pod: host:port:tcp, udp or tls, of which port 4739 and tcp can be left out; needs no --flows',
  }),
  flowPollInterval: optional<number>({
    type: duration(1),
    value: '<duration>',
    help: 'accepted, and without effect: nothing is polled, the counters of a flow come with each window of its probe',
  }),
  activeFlowExportTimeout: setting({
    type: duration(1),
    fallback: 60,
    value: '<duration>',
    help: 'a flow that goes on is exported so often, by the windows of its probe',
  }),
  idleFlowExportTimeout: setting({
    type: duration(1),
    fallback: 15,
    value: '<duration>',
    help: 'a flow without a packet for so long is exported as idle, once',
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
  }),
  externalFlowCollectorAddr: optional<CollectorAddress>({
    type: collectorAddress(),
    value: '<address>',
    help: 'send IPFIX records there as a flow aggregator would, one for both ends of a conversation: host:port:tcp, udp or tls, of which port 4739 and tcp can be left out; needs no --flows',
  }),
  flowExportInterval: setting({
    type: duration(1),
    fallback: 60,
    value: '<duration>',
    help: 'the aggregator exports a conversation that goes on so often; it waits three times as long for an end that a probe should report',
  }),
  aggregatorTransportProtocol: optional<'tls' | 'tcp' | 'udp' | 'none'>({
    type: oneOf('tls', 'tcp', 'udp', 'none'),
    value: '<protocol>',
    help: 'accepted, and without effect: IPFIX of other exporters is not taken, probes speak to --listen',
  }),
  flowExporterTemplate: setting<'antrea-seed' | 'antrea'>({
    type: oneOf('antrea-seed', 'antrea'),
    fallback: 'antrea-seed',
    value: '<name>',
    help: "elements of an exporter's record, and their order: those of Antrea's first releases, or antrea, of today",
  }),
  flowAggregatorTemplate: setting<'aggregate-seed' | 'aggregate'>({
    type: oneOf('aggregate-seed', 'aggregate'),
    fallback: 'aggregate-seed',
    value: '<name>',
    help: "elements of an aggregator's record, and their order: those of Antrea's first releases, or aggregate, of today",
  }),
  ipfixFormat: setting<RecordFormat>({
    type: oneOf('ipfix', 'json'),
    fallback: 'ipfix',
    value: '<format>',
    help: 'of what goes to --external-flow-collector-addr: IPFIX, or a line of JSON for each record with the same names',
  }),
  ipfixTimes: setting<TimeUnit>({
    type: oneOf('s', 'ms'),
    fallback: 's',
    value: '<unit>',
    help: 'start and end in seconds (elements 150, 151), or in milliseconds (152, 153), which nfdump shows',
  }),
  ipfixFlows: setting<Scope>({
    type: oneOf('pods', 'all'),
    fallback: 'pods',
    value: '<which>',
    help: 'conversations with a pod at one end at least, or all that probes see',
  }),
  ipfixMessageSize: setting({
    type: bytes(512, 65_507),
    fallback: 512,
    value: '<size>',
    help: 'largest datagram over UDP, unless one record is larger',
  }),
  ipfixTemplateRefresh: setting({
    type: duration(1),
    fallback: 600,
    value: '<duration>',
    help: 'over UDP, templates are sent again so often',
  }),
  ipfixQueueSize: setting({
    type: bytes(2 ** 16),
    fallback: 64 * 2 ** 20,
    value: '<size>',
    help: 'records that may wait while a collector of IPFIX is away; beyond it the oldest are dropped and counted',
  }),
  ipfixDomain: optional<number>({
    type: whole(0, 4_294_967_295),
    value: '<number>',
    help: "observation domain of the aggregator's records; by default made of this host's name. An exporter's records have one for each node",
  }),
  ipfixCa: optional<string>({
    type: text(),
    value: '<file>',
    help: 'certificate in PEM of the authority that has signed the certificates of IPFIX collectors; by default those that Node.js knows',
  }),
  ipfixCertificate: optional<string>({
    type: text(),
    value: '<file>',
    help: 'our certificate for IPFIX collectors over TLS, in PEM',
  }),
  ipfixKey: optional<string>({ type: text(), value: '<file>', help: 'its private key in PEM' }),
}
