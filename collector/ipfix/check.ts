/** What holds between the settings of the exporter and the aggregator, and what some of them do not do here, in a sentence each. */

import type { Given, Remark } from '../../wire/settings/read.ts'
import type { Values } from '../../wire/settings/settings.ts'
import { certificateFault, keyFault } from '../certificate.ts'
import { type CollectorAddress, parseAddress, type TransportName } from './send/address.ts'
import { GATE, type ipfixSettings } from './settings.ts'

export type IpfixOptions = Values<typeof ipfixSettings>
type IpfixGiven = Given<typeof ipfixSettings>
type Rule = (options: IpfixOptions, given: IpfixGiven) => readonly (Remark | false)[]

export interface Target {
  readonly host: string
  readonly port: number
  readonly transport: TransportName
}

/** Antrea's, with FlowExporter on and no address. */
const USUAL = parseAddress('flow-aggregator.flow-aggregator.svc:4739:tcp') as CollectorAddress

/** Where the exporter sends; undefined: it is off. */
export function exporterTarget(options: IpfixOptions): Target | undefined {
  const { featureGates, flowCollectorAddr, enableTlsToFlowAggregator } = options
  const gate = featureGates?.[GATE]
  const address = flowCollectorAddr ?? (gate ? USUAL : undefined)
  if (gate === false || address === undefined) return undefined
  const named = address.transport ?? 'tcp'
  return { ...address, transport: named === 'tcp' && enableTlsToFlowAggregator ? 'tls' : named }
}

export function aggregatorTarget({ externalFlowCollectorAddr }: IpfixOptions): Target | undefined {
  const address = externalFlowCollectorAddr
  return address && { ...address, transport: address.transport ?? 'tcp' }
}

export const checkIpfix = (options: IpfixOptions, given: IpfixGiven): readonly Remark[] =>
  [withoutEffect, gates, tls, same, files]
    .flatMap(rule => rule(options, given))
    .filter(remark => remark !== false)

const warning = (text: string): Remark => ({ warning: true, text })

const withoutEffect: Rule = (options, given) => {
  const { aggregatorTransportProtocol: input } = options
  const poll = given('flowPollInterval')
  const isUnused = (name: keyof IpfixOptions & string, isOn: boolean, needs: string) =>
    given(name) !== undefined && !isOn && warning(`${given(name)}: has no effect without ${needs}`)
  const exporter = exporterTarget(options)
  const isExporting = exporter !== undefined
  const isAggregating = aggregatorTarget(options) !== undefined
  const isEither = isExporting || isAggregating
  return [
    poll !== undefined &&
      warning(
        `${poll}: nothing is polled: the counters of a flow come with each window of its probe (--interval of sockflux probe)`,
      ),
    input !== undefined &&
      input !== 'none' &&
      warning(
        `${given('aggregatorTransportProtocol')}: IPFIX of other exporters is not taken, and no port is opened for it: run sockflux probe on their nodes`,
      ),
    isUnused('activeFlowExportTimeout', isExporting, '--flow-collector-addr'),
    isUnused('idleFlowExportTimeout', isEither, '--flow-collector-addr or --external-flow-collector-addr'),
    isUnused('flowExportInterval', isAggregating, '--external-flow-collector-addr'),
    isUnused('flowAggregatorAddress', exporter?.transport === 'tls', 'TLS to --flow-collector-addr'),
    isUnused('ipfixFormat', isAggregating, '--external-flow-collector-addr'),
    isUnused('ipfixDomain', isAggregating, '--external-flow-collector-addr'),
  ]
}

const gates: Rule = ({ featureGates }, given) =>
  Object.keys(featureGates ?? {})
    .filter(name => name !== GATE)
    .map(name =>
      warning(`${given('featureGates')}: ${name} is a gate of another program and changes nothing here`),
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
