/**
 * `flow_total` and `connect_bucket`: what a probe sends of flows that it folds itself, for each cgroup, network namespace
 * and role that owned one. Smoothed RTTs that stand for samples go as `tcp_total` and `rtt_bucket`.
 */

import { layoutOf } from '../columns.ts'
import { OWNER_COLUMNS } from './record.ts'
import { RTT_BUCKET } from './rtt.ts'
import type { Sum } from './totals.ts'

/** What each column that adds up is in `Totals`. */
const SUMS = {
  flows: 'flows',
  opened: 'opened',
  closed: 'closed',
  failed: 'failed',
  measured: 'measured',
  /** Of `tcp_flow.rtt_us` and `rtt_var_us`, over the measured flows. */
  rtt_sum_us: 'rttUs',
  rtt_var_sum_us: 'rttVarUs',
  smoothed: 'smoothed',
  retransmits: 'retransmits',
  bytes_sent: 'bytesSent',
  bytes_rcvd: 'bytesRcvd',
  packets_sent: 'packetsSent',
  packets_rcvd: 'packetsRcvd',
} as const satisfies Record<string, Sum>
type SumColumn = keyof typeof SUMS

export const FLOW_SUMS = Object.entries(SUMS) as readonly [SumColumn, Sum][]

export const FLOW_TOTAL = {
  ...(Object.fromEntries(FLOW_SUMS.map(([column]) => [column, 'u64'])) as Record<SumColumn, 'u64'>),
  /** Of `Totals.connect`. */
  connects: 'u64',
  connect_sum_ns: 'u64',
  connect_squares_us2: 'u64',
  connect_min_ns: 'u64',
  connect_max_ns: 'u64',
  ...OWNER_COLUMNS,
} as const

export const flowTotalLayout = layoutOf('flow_total', FLOW_TOTAL)
/** Like `rtt_bucket`. */
export const connectBucketLayout = layoutOf('connect_bucket', RTT_BUCKET)
