/** `tcp_total` and `rtt_bucket`: what the kernel adds up of every RTT sample, and the resets. */

import type { Columns } from '../../probe/wire/columns.ts'
import { type Layout, viewOf } from '../../probe/wire/layout.ts'
import type { RttBucket, TcpTotal } from '../../probe/wire/records.ts'
import type { Totals } from '../totals.ts'
import { type Table, tableOf, u64 } from './columns.ts'
import { type Decoder, type Into, OWNER_COLUMNS, REQUIRED, ROLE_SERVER } from './record.ts'

const TOTAL = {
  ...OWNER_COLUMNS,
  rtt_sum_us: 'u64',
  rtt_squares_us2: 'u64',
  rtt_samples: 'u32',
  rtt_min_us: 'u32',
  rtt_max_us: 'u32',
  resets_sent: 'u32',
  resets_rcvd: 'u32',
} as const satisfies Columns & { [K in keyof TcpTotal]?: unknown }

const BUCKET = {
  ...OWNER_COLUMNS,
  samples: 'u32',
  bucket: 'u16',
} as const satisfies Columns & { [K in keyof RttBucket]?: unknown }

export function tcpTotal(layout: Layout): Decoder {
  const table = tableOf(layout, TOTAL, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    totals.resetsSent += view.getUint32(row + at.resets_sent, true)
    totals.resetsRcvd += view.getUint32(row + at.resets_rcvd, true)
    const samples = view.getUint32(row + at.rtt_samples, true)
    if (samples === 0) return
    totals
      .rttSamples()
      .addTotals(
        samples,
        u64(view, row + at.rtt_sum_us),
        u64(view, row + at.rtt_squares_us2),
        view.getUint32(row + at.rtt_min_us, true),
        view.getUint32(row + at.rtt_max_us, true),
      )
  })
}

export function rttBucket(layout: Layout): Decoder {
  const table = tableOf(layout, BUCKET, REQUIRED)
  const { at } = table
  return decoderOf(table, (totals, view, row) => {
    const samples = view.getUint32(row + at.samples, true)
    if (samples > 0) totals.rttSamples().addBucket(view.getUint16(row + at.bucket, true), samples)
  })
}

function decoderOf(
  table: Table<typeof OWNER_COLUMNS>,
  count: (totals: Totals, view: DataView, row: number) => void,
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
