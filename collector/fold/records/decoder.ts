/** The records that the collector understands, by their name. */

import { tcpFlow } from '../../../wire/count/tcp_flow.ts'
import { tcpHealth } from '../../../wire/count/tcp_health.ts'
import { tcpUpdate } from '../../../wire/count/tcp_update.ts'
import { udpFlow } from '../../../wire/count/udp_flow.ts'
import { type Layout, LayoutError } from '../../../wire/layout.ts'
import { hostDecoder } from './flat.ts'
import { DISTRIBUTION_BUCKETS, flowTotal } from './flow_total.ts'
import type { Decoder } from './record.ts'
import { rttBucket, tcpTotal } from './rtt.ts'
import { tcpListen } from './tcp_listen.ts'

const RECORDS: ReadonlyMap<string, (layout: Layout) => Decoder> = new Map([
  ['tcp_flow', tcpFlow],
  ['tcp_update', tcpUpdate],
  ['tcp_health', tcpHealth],
  ['udp_flow', udpFlow],
  ['tcp_total', tcpTotal],
  ['rtt_bucket', rttBucket],
  ['flow_total', flowTotal],
  ...DISTRIBUTION_BUCKETS,
  ['tcp_listen', tcpListen],
  ['iface', hostDecoder('iface')],
  ['host_cpu', hostDecoder('host_cpu')],
  ['host_mem', hostDecoder('host_mem')],
  ['host_conntrack', hostDecoder('host_conntrack')],
  ['probe_stats', hostDecoder('probe_stats')],
])

export const isRecord = (name: string): boolean => RECORDS.has(name)

/** @throws {LayoutError} when a column is missing without which the rows say nothing */
export function decoder(layout: Layout): Decoder {
  const make = RECORDS.get(layout.name)
  if (!make) throw new LayoutError(`${layout.name} is no record that this collector knows`)
  return make(layout)
}
