/** `flow_total` and the buckets of its distributions: flows that the probe has folded, see `wire/count/flow_total.ts`. */

import { FLOW_TOTAL, TOTAL_DISTRIBUTIONS, TOTAL_PEAKS, TOTAL_SUMS } from '../../../wire/count/flow_total.ts'
import { REQUIRED } from '../../../wire/count/record.ts'
import { tableOf, u64 } from '../../../wire/count/table.ts'
import type { Layout } from '../../../wire/layout.ts'
import { RTT_BUCKET } from '../../../wire/records.ts'
import type { Decoder } from './record.ts'
import { addSquares, decoderOf } from './rtt.ts'

export function flowTotal(layout: Layout): Decoder {
  const table = tableOf(layout, FLOW_TOTAL, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    for (const [column, sum] of TOTAL_SUMS) totals[sum] += u64(view, row + at[column])
    for (const [column, peak] of TOTAL_PEAKS)
      totals[peak] = Math.max(totals[peak], u64(view, row + at[column]))
    totals.known |= u64(view, row + at.known)
    const us = (column: number) => u64(view, row + column) / 1000
    for (const { name, count, sum, squares, min, max } of TOTAL_DISTRIBUTIONS) {
      const values = u64(view, row + at[count])
      if (values === 0) continue
      totals.distribution(name).addTotals(values, u64(view, row + at[sum]), 0, us(at[min]), us(at[max]))
      addSquares(totals.distribution(name), view, row + at[squares])
    }
  })
}

/** The decoders of their buckets, by the record's name. */
export const DISTRIBUTION_BUCKETS = TOTAL_DISTRIBUTIONS.map(({ name, buckets }) => {
  const make = (layout: Layout): Decoder => {
    const table = tableOf(layout, RTT_BUCKET, REQUIRED)
    const { at } = table
    return decoderOf(table, (totals, view, row) => {
      const samples = view.getUint32(row + at.samples, true)
      if (samples > 0) totals.distribution(name).addBucket(view.getUint16(row + at.bucket, true), samples)
    })
  }
  return [buckets.name, make] as const
})
