/**
 * `flow_total` and `connect_bucket`: the sums of flows that a probe folds itself, for each cgroup, network namespace and
 * role that owned one. Smoothed RTTs in place of samples are sent as `tcp_total` and `rtt_bucket`.
 */

import { layoutOf } from '../columns.ts'
import { RTT_BUCKET } from '../records.ts'
import { COUNTED } from './flow_sums.ts'
import { OWNER_COLUMNS } from './record.ts'
import { FLOW_SUMS } from './sums.ts'

const SUMS = { ...COUNTED, ...FLOW_SUMS } as const
type SumColumn = keyof typeof SUMS

/** For each column that adds up its name in `FlowSums`. */
export const TOTAL_SUMS = Object.entries(SUMS) as readonly [SumColumn, (typeof SUMS)[SumColumn]][]

export const FLOW_TOTAL = {
  ...(Object.fromEntries(TOTAL_SUMS.map(([column]) => [column, 'u64'])) as Record<SumColumn, 'u64'>),
  /** Of `FlowSums.connect`. */
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
