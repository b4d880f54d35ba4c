/** `tcp_total` and `rtt_bucket`: what the kernel adds up of every RTT sample, and the resets. */

import type { FlowSums } from '../../../wire/count/flow_sums.ts'
import type { Histogram } from '../../../wire/count/histogram.ts'
import { type OWNER_COLUMNS, REQUIRED } from '../../../wire/count/record.ts'
import { addTcpTotalDeltas, addTcpTotalLevels } from '../../../wire/count/sums.ts'
import { type Table, tableOf, u64 } from '../../../wire/count/table.ts'
import { type Layout, viewOf } from '../../../wire/layout.ts'
import { ROLE_SERVER, RTT_BUCKET, TCP_TOTAL } from '../../../wire/records.ts'
import type { Decoder, Into } from './record.ts'

export function tcpTotal(layout: Layout): Decoder {
  const table = tableOf(layout, TCP_TOTAL, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    addTcpTotalLevels(totals, view, row, at)
    addTcpTotalDeltas(totals, view, row, at)
    const samples = view.getUint32(row + at.rtt_samples, true)
    if (samples === 0) return
    const [min, max] = [view.getUint32(row + at.rtt_min_us, true), view.getUint32(row + at.rtt_max_us, true)]
    totals.rttSamples().addCounted(samples, u64(view, row + at.rtt_sum_us) * 1000, 0, min, max)
    addSquares(totals.rttSamples(), view, row + at.rtt_squares_us2)
  })
}

export function rttBucket(layout: Layout): Decoder {
  const table = tableOf(layout, RTT_BUCKET, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    const samples = view.getUint32(row + at.samples, true)
    if (samples > 0) totals.rttSamples().addBucket(view.getUint16(row + at.bucket, true), samples)
  })
}

/** @param at of 64 bits, none of which may be lost */
export function addSquares(histogram: Histogram, view: DataView, at: number): void {
  histogram.addSquares(view.getUint32(at, true))
  histogram.addSquares(view.getUint32(at + 4, true) * 4294967296)
}

/** Of rows that each add to the totals of their owner and role. */
export function decoderOf(
  table: Table<typeof OWNER_COLUMNS>,
  count: (totals: FlowSums, view: DataView, row: number) => void,
): Decoder {
  const { incoming, size, at } = table
  const fold = (given: Buffer, { owners }: Into) => {
    const rows = table.rows(given)
    const view = viewOf(rows)
    for (let row = 0; row < rows.length; row += size) {
      const group = owners.of(view, row, at)
      if (group === undefined) continue
      count(view.getUint8(row + at.role) === ROLE_SERVER ? group.server : group.client, view, row)
    }
  }
  return { size: incoming, fold }
}
