/** The rows that folded flows become: `flow_total`, `tcp_total`, and their buckets. */

import { encodeRows, type Given } from '../../wire/columns.ts'
import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import {
  type FLOW_TOTAL,
  flowTotalLayout,
  TOTAL_DISTRIBUTIONS,
  TOTAL_PEAKS,
  TOTAL_SUMS,
} from '../../wire/count/flow_total.ts'
import type { Histogram } from '../../wire/count/histogram.ts'
import type { Layout, Rows } from '../../wire/layout.ts'
import { ROLE_CLIENT, ROLE_SERVER, type RTT_BUCKET, type TCP_TOTAL } from '../../wire/records.ts'

interface OwnerKey {
  readonly cgroup: number
  readonly hierarchy: number
  readonly netns: number
}

/** The sums of an owner's flows. */
export interface OwnedSums {
  readonly owner: OwnerKey
  readonly group: Group
}

/** Layouts of the records that the kernel fills, too. */
export interface SampleLayouts {
  readonly total: Layout
  readonly bucket: Layout
}

type Key = OwnerKey & { readonly role: number }

export function sumsOf(owned: readonly OwnedSums[], { total, bucket }: SampleLayouts): Rows[] {
  const flows: Given<typeof FLOW_TOTAL>[] = []
  const samples: Given<typeof TCP_TOTAL>[] = []
  const buckets: Buffer[] = []
  const distributions = TOTAL_DISTRIBUTIONS.map(({ buckets }) => ({ layout: buckets, rows: [] as Buffer[] }))
  const add = (key: Key, totals: FlowSums) => {
    if (isNothing(totals)) return
    const { rtt } = totals
    flows.push({ ...key, ...flowSums(totals), ...distributionSums(totals) })
    if (rtt) {
      samples.push({ ...key, ...rttSums(rtt) })
      buckets.push(bucketRows(bucket, key, rtt))
    }
    for (const [index, { name }] of TOTAL_DISTRIBUTIONS.entries()) {
      const [values, { layout, rows }] = [totals[name], distributions[index]!]
      if (values) rows.push(bucketRows(layout, key, values))
    }
  }
  for (const { owner, group } of owned) {
    add({ ...owner, role: ROLE_CLIENT }, group.client)
    add({ ...owner, role: ROLE_SERVER }, group.server)
  }
  return [
    { layout: flowTotalLayout, bytes: encodeRows<typeof FLOW_TOTAL>(flowTotalLayout, flows) },
    { layout: total, bytes: encodeRows<typeof TCP_TOTAL>(total, samples) },
    { layout: bucket, bytes: Buffer.concat(buckets) },
    ...distributions.map(({ layout, rows }) => ({ layout, bytes: Buffer.concat(rows) })),
  ].filter(({ bytes }) => bytes.length > 0)
}

/** A flow that is told of beside its own row may be another window's. */
const isNothing = (totals: FlowSums): boolean =>
  totals.flows === 0 && [...TOTAL_SUMS, ...TOTAL_PEAKS].every(([, sum]) => totals[sum] === 0)

const flowSums = (totals: FlowSums): Given<typeof FLOW_TOTAL> => ({
  ...Object.fromEntries([...TOTAL_SUMS, ...TOTAL_PEAKS].map(([column, sum]) => [column, totals[sum]])),
  known: totals.known,
})

const distributionSums = (totals: FlowSums): Given<typeof FLOW_TOTAL> =>
  Object.fromEntries(
    TOTAL_DISTRIBUTIONS.flatMap(({ name, count, sum, squares, min, max }) => {
      const values = totals[name]
      if (!values) return []
      return [
        [count, values.count],
        [sum, values.sumNs],
        [squares, values.wholeSquares],
        [min, Math.round(values.min! * 1000)],
        [max, Math.round(values.max! * 1000)],
      ]
    }),
  )

const rttSums = (rtt: Histogram): Given<typeof TCP_TOTAL> => ({
  rtt_samples: rtt.count,
  rtt_sum_us: rtt.sum,
  rtt_squares_us2: rtt.wholeSquares,
  rtt_min_us: rtt.min!,
  rtt_max_us: rtt.max!,
})

/** There may be two for each flow, so that no objects are made. */
function bucketRows(layout: Layout, key: Key, histogram: Histogram): Buffer {
  const buckets = [...histogram.buckets()]
  const rows = Buffer.alloc(buckets.length * layout.size, encodeRows<typeof RTT_BUCKET>(layout, [key]))
  const at = Object.fromEntries(layout.fields.map(({ name, offset }) => [name, offset]))
  for (const [index, [bucket, samples]] of buckets.entries()) {
    rows.writeUInt16LE(bucket, index * layout.size + at['bucket']!)
    rows.writeUInt32LE(samples, index * layout.size + at['samples']!)
  }
  return rows
}
