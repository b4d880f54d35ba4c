/** What the rows of `tcp_flow` and `tcp_update` have in common: what flows carry, and their smoothed RTT. */

import type { Columns } from '../columns.ts'
import type { TcpFlow, TcpUpdate } from '../records.ts'
import { OWNER_COLUMNS } from './record.ts'
import { u64 } from './table.ts'
import type { Totals } from './totals.ts'

export const TRAFFIC_COLUMNS = {
  ...OWNER_COLUMNS,
  bytes_sent: 'u64',
  bytes_rcvd: 'u64',
  pid: 'u32',
  rtt_us: 'u32',
  rtt_var_us: 'u32',
  segs_sent: 'u32',
  segs_rcvd: 'u32',
  segs_resent: 'u32',
  flags: 'u8',
  comm: 16,
} as const satisfies Columns & { [K in keyof TcpFlow & keyof TcpUpdate]?: unknown }

type Offsets = { readonly [K in keyof typeof TRAFFIC_COLUMNS]: number }

/** @returns its smoothed RTT, of a flow that exchanged segments in the window and has one; else 0 */
export function countTraffic(totals: Totals, view: DataView, row: number, at: Offsets): number {
  totals.flows++
  const sent = view.getUint32(row + at.segs_sent, true)
  const rcvd = view.getUint32(row + at.segs_rcvd, true)
  if (sent + rcvd === 0) return 0 // then it carried nothing
  totals.packetsSent += sent
  totals.packetsRcvd += rcvd
  totals.retransmits += view.getUint32(row + at.segs_resent, true)
  totals.bytesSent += u64(view, row + at.bytes_sent)
  totals.bytesRcvd += u64(view, row + at.bytes_rcvd)
  const rtt = view.getUint32(row + at.rtt_us, true)
  if (rtt === 0) return 0
  totals.measured++
  totals.rttUs += rtt
  totals.rttVarUs += view.getUint32(row + at.rtt_var_us, true)
  return rtt
}

/** Of a flow whose samples are not known one by one. @param rtt microseconds, not 0 */
export function addSmoothed(totals: Totals, rtt: number): void {
  totals.smoothed++
  totals.rttSamples().add(rtt)
}
