/** The settings of the exporter and the aggregator, and of what is sent by both. */

import { setting } from '../../../wire/settings/settings.ts'
import { bytes, duration, oneOf, text } from '../../../wire/settings/types.ts'
import type { TimeUnit } from '../format/templates.ts'
import type { Scope } from '../record/ends.ts'
import { aggregatorSettings } from './aggregator.ts'
import { exporterSettings } from './exporter.ts'
import { optional } from './optional.ts'
import { type TlsVersion, tlsVersion } from './tls_version.ts'

export const ipfixSettings = {
  ...exporterSettings,
  ...aggregatorSettings,
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
    type: bytes(512, 65_535, true),
    fallback: 0,
    value: '<size>',
    help: 'largest message, unless one record is larger; 0: 512 bytes over UDP, 65535 over TCP and TLS',
    keys: ['flowCollector.maxIPFIXMsgSize'],
  }),
  ipfixTemplateRefresh: setting({
    type: duration(1),
    fallback: 600,
    value: '<duration>',
    help: 'over UDP, templates are sent again so often',
    keys: ['flowCollector.templateRefreshTimeout'],
  }),
  ipfixQueueSize: setting({
    type: bytes(2 ** 16),
    fallback: 64 * 2 ** 20,
    value: '<size>',
    help: 'records that may wait while a collector of IPFIX is away; beyond it the oldest are dropped and counted',
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
  ipfixTlsVersion: setting<TlsVersion>({
    type: tlsVersion(),
    fallback: '1.2',
    value: '<version>',
    help: 'oldest version of TLS that is spoken with IPFIX collectors: 1.2 or 1.3',
    keys: ['flowCollector.tls.minVersion'],
  }),
  ipfixKey: optional<string>({ type: text(), value: '<file>', help: 'its private key in PEM' }),
}
