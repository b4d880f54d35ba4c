/** `flow_total` and `connect_bucket`: flows that the probe has folded, see `wire/count/flow_total.ts`. */

import { FLOW_TOTAL, TOTAL_SUMS } from '../../../wire/count/flow_total.ts'
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
    const connects = u64(view, row + at.connects)
    if (connects === 0) return
    const us = (column: number) => u64(view, row + column) / 1000
    const { connect_sum_ns: sum, connect_min_ns: min, connect_max_ns: max } = at
    totals.connects().addTotals(connects, u64(view, row + sum), 0, us(min), us(max))
    addSquares(totals.connects(), view, row + at.connect_squares_us2)
  })
}

export function connectBucket(layout: Layout): Decoder {
  const table = tableOf(layout, RTT_BUCKET, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    const samples = view.getUint32(row + at.samples, true)
    if (samples > 0) totals.connects().addBucket(view.getUint16(row + at.bucket, true), samples)
  })
}
