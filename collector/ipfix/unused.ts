/** Settings that are given, and of which nothing comes. */

import type { Given, Remark } from '../../wire/settings/read.ts'
import { GATE } from './settings/gates.ts'
import type { ipfixSettings } from './settings/settings.ts'
import { aggregatorTarget, exporterTarget, type IpfixOptions, isOfToday, type Target } from './targets.ts'

type IpfixGiven = Given<typeof ipfixSettings>
export type Rule = (options: IpfixOptions, given: IpfixGiven) => readonly (Remark | false)[]

export const warning = (text: string): Remark => ({ warning: true, text })

const NEEDS = { exporter: '--flow-collector-addr', aggregator: '--external-flow-collector-addr' } as const

const OF_AGGREGATOR = [
  ...(['flowExportInterval', 'flowAggregatorMode', 'ipfixFormat'] as const),
  ...(['ipfixDomain', 'externalFlowCollectorTls'] as const),
] as const
const OF_BOTH = [
  ...(['idleFlowExportTimeout', 'flowProtocolFilter', 'ipfixFlows', 'ipfixTimes'] as const),
  ...(['ipfixMessageSize', 'ipfixQueueSize'] as const),
] as const

/** Records are of TCP and UDP. */
const unwatched: Rule = ({ flowProtocolFilter: wanted }, given) => {
  const isAlone = wanted.length > 0 && wanted.every(name => name === 'sctp')
  const rest = isAlone ? ', and no record is sent: name tcp or udp' : ''
  return [wanted.includes('sctp') && warning(`${given('flowProtocolFilter')}: sctp is not watched${rest}`)]
}

export const withoutEffect: Rule = (options, given) => {
  const { aggregatorTransportProtocol: input, flowExporterEnable, externalFlowCollectorEnable } = options
  const [exporter, aggregator] = [exporterTarget(options), aggregatorTarget(options)]
  const [isExporting, isAggregating] = [exporter !== undefined, aggregator !== undefined]
  const gate = options.featureGates?.[GATE]
  const isProxy = options.flowAggregatorMode === 'proxy'
  const isUnused = (name: keyof IpfixOptions & string, isOn: boolean, needs: string) =>
    given(name) !== undefined && !isOn && warning(`${given(name)}: has no effect without ${needs}`)
  const poll = flowExporterEnable && given('flowPollInterval')
  // a role that is switched off keeps its settings for when it is on
  const [toExport, toAggregate] = [
    isExporting || !flowExporterEnable,
    isAggregating || !externalFlowCollectorEnable,
  ]
  const ofExporter = isProxy ? toExport || toAggregate : toExport
  const isTls = (target: Target | undefined, isFine: boolean) =>
    target ? target.transport === 'tls' : isFine
  const isJoined = !(isAggregating && isProxy)
  return [
    poll !== false &&
      poll !== undefined &&
      warning(
        `${poll}: nothing is polled: the counters of a flow come with each window of its probe (--interval of sockflux probe)`,
      ),
    input !== undefined &&
      input !== 'none' &&
      warning(
        `${given('aggregatorTransportProtocol')}: IPFIX of other exporters is not taken, and no port is opened for it: run sockflux probe on their nodes`,
      ),
    isUnused('flowExporterEnable', toExport || gate === false, NEEDS.exporter),
    isUnused('externalFlowCollectorEnable', toAggregate, NEEDS.aggregator),
    isUnused('activeFlowExportTimeout', ofExporter, NEEDS.exporter),
    isUnused('flowAggregatorAddress', isTls(exporter, toExport), `TLS to ${NEEDS.exporter}`),
    isUnused('externalFlowCollectorName', isTls(aggregator, toAggregate), `TLS to ${NEEDS.aggregator}`),
    isUnused('flowExporterTemplate', toExport, NEEDS.exporter),
    ...OF_AGGREGATOR.map(name => isUnused(name, toAggregate, NEEDS.aggregator)),
    ...OF_BOTH.map(name =>
      isUnused(name, toExport || toAggregate, `${NEEDS.exporter} or ${NEEDS.aggregator}`),
    ),
    ...unwatched(options, given),
    ...(['flowExportInterval', 'flowAggregatorTemplate'] as const).map(name =>
      isUnused(name, isJoined, '--flow-aggregator-mode aggregate'),
    ),
  ]
}

type Contents = 'ipfixClusterId' | 'ipfixPodLabels' | 'ipfixNames' | 'ipfixUids'
/** What only records of today have, and the value that asks for it. */
const OF_TODAY: Readonly<Record<Contents, (value: unknown) => boolean>> = {
  ipfixClusterId: () => true,
  ipfixPodLabels: value => value === true,
  ipfixNames: value => value === false,
  ipfixUids: value => value === true,
}

export const contents: Rule = (options, given) => {
  if (!options.externalFlowCollectorEnable) return []
  const isAggregating = aggregatorTarget(options) !== undefined
  const needs = isAggregating ? '--flow-aggregator-template aggregate' : NEEDS.aggregator
  return (Object.keys(OF_TODAY) as Contents[]).map(name => {
    const isAsked = given(name) !== undefined && OF_TODAY[name](options[name])
    const isThere = isAggregating && isOfToday(options)
    return isAsked && !isThere && warning(`${given(name)}: has no effect without ${needs}`)
  })
}
