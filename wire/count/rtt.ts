/** Columns of `tcp_total` and `rtt_bucket`: what adds up of RTT samples. */

import type { Columns } from '../columns.ts'
import type { RttBucket, TcpTotal } from '../records.ts'
import { OWNER_COLUMNS } from './record.ts'

export const TCP_TOTAL = {
  ...OWNER_COLUMNS,
  rtt_sum_us: 'u64',
  rtt_squares_us2: 'u64',
  rtt_samples: 'u32',
  rtt_min_us: 'u32',
  rtt_max_us: 'u32',
  resets_sent: 'u32',
  resets_rcvd: 'u32',
} as const satisfies Columns & { [K in keyof TcpTotal]?: unknown }

export const RTT_BUCKET = {
  ...OWNER_COLUMNS,
  samples: 'u32',
  bucket: 'u16',
} as const satisfies Columns & { [K in keyof RttBucket]?: unknown }
