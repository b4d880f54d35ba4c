/**
 * `flow_total` and the buckets of its distributions: the sums of flows that a probe folds itself, for each cgroup, network namespace and
 * role that owned one. Smoothed RTTs in place of samples are sent as `tcp_total` and `rtt_bucket`.
 */

import { layoutOf } from '../columns.ts'
import type { Layout } from '../layout.ts'
import { RTT_BUCKET } from '../records.ts'
import { COUNTED, COUNTED_PEAKS, DISTRIBUTIONS } from './flow_sums.ts'
import { OWNER_COLUMNS } from './record.ts'
import { FLOW_PEAKS, FLOW_SUMS } from './sums.ts'

const SUMS = { ...COUNTED, ...FLOW_SUMS } as const
type SumColumn = keyof typeof SUMS

/** For each column that adds up its name in `FlowSums`. */
export const TOTAL_SUMS = Object.entries(SUMS) as readonly [SumColumn, (typeof SUMS)[SumColumn]][]

const PEAKS = { ...COUNTED_PEAKS, ...FLOW_PEAKS } as const
type PeakColumn = keyof typeof PEAKS

/** The same of the columns of which the largest counts. */
export const TOTAL_PEAKS = Object.entries(PEAKS) as readonly [PeakColumn, (typeof PEAKS)[PeakColumn]][]

type Prefix = keyof typeof DISTRIBUTIONS
type DistributionColumn =
  | `${Prefix}s`
  | `${Prefix}_sum_ns`
  | `${Prefix}_squares_us2`
  | `${Prefix}_min_ns`
  | `${Prefix}_max_ns`

/** For each distribution its name in `FlowSums`, its columns here, and the layout of its buckets, like `rtt_bucket`. */
export const TOTAL_DISTRIBUTIONS = (Object.keys(DISTRIBUTIONS) as Prefix[]).map(prefix => ({
  name: DISTRIBUTIONS[prefix],
  count: `${prefix}s`,
  sum: `${prefix}_sum_ns`,
  squares: `${prefix}_squares_us2`,
  min: `${prefix}_min_ns`,
  max: `${prefix}_max_ns`,
  buckets: layoutOf(`${prefix}_bucket`, RTT_BUCKET),
})) as readonly {
  readonly name: (typeof DISTRIBUTIONS)[Prefix]
  readonly count: DistributionColumn
  readonly sum: DistributionColumn
  readonly squares: DistributionColumn
  readonly min: DistributionColumn
  readonly max: DistributionColumn
  readonly buckets: Layout
}[]

export const FLOW_TOTAL = {
  ...(Object.fromEntries(TOTAL_SUMS.map(([column]) => [column, 'u64'])) as Record<SumColumn, 'u64'>),
  ...(Object.fromEntries(TOTAL_PEAKS.map(([column]) => [column, 'u64'])) as Record<PeakColumn, 'u64'>),
  known: 'u64',
  ...(Object.fromEntries(
    TOTAL_DISTRIBUTIONS.flatMap(({ count, sum, squares, min, max }) =>
      [count, sum, squares, min, max].map(column => [column, 'u64']),
    ),
  ) as Record<DistributionColumn, 'u64'>),
  ...OWNER_COLUMNS,
} as const

export const flowTotalLayout = layoutOf('flow_total', FLOW_TOTAL)
