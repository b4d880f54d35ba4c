/** Where records go, by the settings. */

import type { Values } from '../../wire/settings/settings.ts'
import { type CollectorAddress, parseAddress, type TransportName } from './send/address.ts'
import { GATE } from './settings/gates.ts'
import type { ipfixSettings } from './settings/settings.ts'

export type IpfixOptions = Values<typeof ipfixSettings>

export interface Target {
  readonly host: string
  readonly port: number
  readonly transport: TransportName
}

/** Antrea's, with FlowExporter on and no address. */
const USUAL = parseAddress('flow-aggregator.flow-aggregator.svc:4739:tcp') as CollectorAddress

/** Where the exporter sends; undefined: it is off. */
export function exporterTarget(options: IpfixOptions): Target | undefined {
  const { featureGates, flowExporterEnable, flowCollectorAddr, enableTlsToFlowAggregator } = options
  const gate = featureGates?.[GATE]
  const address = flowCollectorAddr ?? (gate ? USUAL : undefined)
  if (gate === false || !flowExporterEnable || address === undefined) return undefined
  return targetOf(address, enableTlsToFlowAggregator)
}

export function aggregatorTarget(options: IpfixOptions): Target | undefined {
  const { externalFlowCollectorEnable: isOn, externalFlowCollectorAddr: address } = options
  return isOn && address ? targetOf(address, options.externalFlowCollectorTls) : undefined
}

/** The check refuses what nobody here speaks. */
function targetOf(address: CollectorAddress, isTls: boolean): Target {
  const { transport = 'tcp' } = address
  const isEncrypted = transport === 'grpc' || (transport === 'tcp' && isTls)
  return { ...address, transport: isEncrypted ? 'tls' : transport }
}

/** Whether the aggregator's records have the elements of today. */
export const isOfToday = ({ flowAggregatorTemplate: template, flowAggregatorMode: mode }: IpfixOptions) =>
  template === 'aggregate' || mode === 'proxy'
