/** What holds between the settings of the exporter and the aggregator, and what some of them do not do here, in a sentence each. */

import type { Given, Remark } from '../../wire/settings/read.ts'
import { certificateFault, keyFault } from '../certificate.ts'
import { GATE } from './settings/gates.ts'
import type { ipfixSettings } from './settings/settings.ts'
import { aggregatorTarget, exporterTarget, type IpfixOptions } from './targets.ts'
import { contents, type Rule, warning, withoutEffect } from './unused.ts'

export const checkIpfix = (options: IpfixOptions, given: Given<typeof ipfixSettings>): readonly Remark[] =>
  [withoutEffect, contents, gates, grpc, tls, same, files]
    .flatMap(rule => rule(options, given))
    .filter(remark => remark !== false)

const gates: Rule = ({ featureGates }, given) => {
  const others = Object.keys(featureGates ?? {}).filter(name => name !== GATE)
  const [are, change] = others.length === 1 ? ['is a gate', 'changes'] : ['are gates', 'change']
  return [
    others.length > 0 &&
      warning(
        `${given('featureGates')}: ${others.join(', ')} ${are} of another program and ${change} nothing here`,
      ),
  ]
}

const grpc: Rule = (options, given) =>
  (
    [
      ['flowCollectorAddr', options.flowExporterEnable && options.featureGates?.[GATE] !== false],
      ['externalFlowCollectorAddr', options.externalFlowCollectorEnable],
    ] as const
  ).map(
    ([name, isOn]) =>
      isOn &&
      options[name]?.transport === 'grpc' && {
        text: `${given(name)}: grpc is not spoken here: give the port and the protocol of IPFIX, such as 4739 and tls`,
      },
  )

const tls: Rule = (options, given) => {
  const { flowCollectorAddr, enableTlsToFlowAggregator: isTls, aggregatorTransportProtocol: input } = options
  const where = given('enableTlsToFlowAggregator')
  const named = flowCollectorAddr?.transport
  const isOther =
    where !== undefined && input !== undefined && input !== 'none' && (input === 'tls') !== isTls
  return [
    where !== undefined &&
      isTls &&
      named === 'udp' &&
      warning(
        `${where}: ${given('flowCollectorAddr')} says udp, which has no TLS here: what is sent is plain text`,
      ),
    where !== undefined &&
      !isTls &&
      named === 'tls' && {
        text: `${where}: ${given('flowCollectorAddr')} says tls: write tcp there, or leave this out`,
      },
    options.externalFlowCollectorTls &&
      options.externalFlowCollectorEnable &&
      options.externalFlowCollectorAddr?.transport === 'udp' && {
        text: `${given('externalFlowCollectorTls')}: ${given('externalFlowCollectorAddr')} says udp, which has no TLS here: write tcp there, or leave this out`,
      },
    isOther && {
      text: `${where}: ${given('aggregatorTransportProtocol')} is ${input}: TLS is on both sides or on neither: make them match, or leave the second out`,
    },
  ]
}

/** RFC 7011, 8: a template belongs to a session and a domain; many collectors of datagrams know a session by its host alone. */
const same: Rule = (options, given) => {
  const [one, other] = [exporterTarget(options), aggregatorTarget(options)]
  const isSame = one !== undefined && one.host === other?.host && one.port === other.port
  return [
    isSame &&
      warning(
        `${given('externalFlowCollectorAddr')}: is where the exporter sends as well: what is there gets each conversation twice, and by templates of one number that differ; give another address`,
      ),
  ]
}

const files: Rule = (options, given) => {
  const { ipfixCa, ipfixCertificate, ipfixKey } = options
  const of = (name: 'ipfixCa' | 'ipfixCertificate', path: string | undefined) => {
    const fault = path === undefined ? undefined : certificateFault(path)
    return fault !== undefined && { text: `${given(name)}: ${fault}` }
  }
  const isHalf = (ipfixCertificate === undefined) !== (ipfixKey === undefined)
  const faults = [of('ipfixCa', ipfixCa), of('ipfixCertificate', ipfixCertificate)]
  const isWhole = ipfixCertificate !== undefined && ipfixKey !== undefined && !faults[1]
  const key = isWhole ? keyFault(ipfixKey, ipfixCertificate) : undefined
  return [
    ...faults,
    isHalf && {
      text: `${given('ipfixCertificate') ?? given('ipfixKey')}: a certificate and its key belong together: give --ipfix-certificate and --ipfix-key`,
    },
    key !== undefined && { text: `${given('ipfixKey')}: ${key}` },
  ]
}
