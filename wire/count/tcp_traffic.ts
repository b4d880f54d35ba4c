/** What the rows of `tcp_flow` and `tcp_update` have in common: what flows carry, and their smoothed RTT. */

import type { TCP_FLOW, TCP_UPDATE } from '../records.ts'
import type { FlowSums } from './flow_sums.ts'
import { addTcpFlowDeltas, addTcpFlowLevels } from './sums.ts'

type Offsets = { readonly [K in keyof typeof TCP_FLOW & keyof typeof TCP_UPDATE]: number }

/** @returns its smoothed RTT, of a flow that exchanged segments in the window and has one; else 0 */
export function countTraffic(totals: FlowSums, view: DataView, row: number, at: Offsets): number {
  totals.flows++
  addTcpFlowLevels(totals, view, row, at)
  if ((view.getInt32(row + at.segs_sent, true) | view.getInt32(row + at.segs_rcvd, true)) === 0) return 0 // then it carried nothing
  addTcpFlowDeltas(totals, view, row, at)
  const rtt = view.getUint32(row + at.rtt_us, true)
  if (rtt === 0) return 0
  totals.measured++
  totals.rttUs += rtt
  totals.rttVarUs += view.getUint32(row + at.rtt_var_us, true)
  return rtt
}

/** Of a flow whose samples are not known one by one. @param rtt microseconds, not 0 */
export function addSmoothed(totals: FlowSums, rtt: number): void {
  totals.smoothed++
  totals.rttSamples().add(rtt)
}
