/** The common part of rows of `tcp_flow` and `tcp_update`: traffic, and the smoothed RTT. */

import type { Layout } from '../layout.ts'
import { FLOW_MEASURED, type TCP_FLOW, type TCP_UPDATE } from '../records.ts'
import type { FlowSums } from './flow_sums.ts'
import { addTcpFlowDeltas, addTcpFlowLevels } from './sums.ts'

type Offsets = { readonly [K in keyof typeof TCP_FLOW & keyof typeof TCP_UPDATE]: number }

/** Whether rows mark flows that took an RTT sample; older probes do not, and have no typedef there. */
export const marksMeasured = (layout: Layout): boolean =>
  layout.fields.find(({ name }) => name === 'flags')?.typedef === 'flow_flags_t'

/** With an older probe each flow that exchanged segments counts as measured. @param marks `marksMeasured` of its layout */
export function flagsOf(marks: boolean, view: DataView, row: number, at: Offsets): number {
  const flags = view.getUint8(row + at.flags)
  if (marks || !exchanged(view, row, at)) return flags
  return flags | FLOW_MEASURED
}

const exchanged = (view: DataView, row: number, at: Offsets): boolean =>
  (view.getInt32(row + at.segs_sent, true) | view.getInt32(row + at.segs_rcvd, true)) !== 0

/**
 * A flow without an RTT sample in the window has no RTT in it: the kernel keeps the smoothed RTT of the last sample, and
 * a flow that only receives takes none after its handshake.
 * @returns its smoothed RTT, of a flow that took an RTT sample in the window; else 0
 */
export function countTraffic(
  totals: FlowSums,
  flags: number,
  view: DataView,
  row: number,
  at: Offsets,
): number {
  totals.flows++
  totals.known |= view.getUint8(row + at.known)
  addTcpFlowLevels(totals, view, row, at)
  if (exchanged(view, row, at)) addTcpFlowDeltas(totals, view, row, at)
  else totals.busyUs += view.getUint32(row + at.busy_us, true) // nothing moves, and data are outstanding
  if ((flags & FLOW_MEASURED) === 0) return 0
  const rtt = view.getUint32(row + at.rtt_us, true)
  if (rtt === 0) return 0
  totals.measured++
  totals.rttUs += rtt
  totals.rttVarUs += view.getUint32(row + at.rtt_var_us, true)
  const least = view.getUint32(row + at.min_rtt_us, true)
  if (least !== 0) addQueueing(totals, rtt, least)
  return rtt
}

/** @param rtt smoothed, microseconds, which may lie below the smallest for a while @param least the smallest */
function addQueueing(totals: FlowSums, rtt: number, least: number): void {
  totals.distribution('minRtt').add(least)
  totals.distribution('queueing').add(Math.max(rtt - least, 0))
}

/** Of a flow whose samples are not known one by one. @param rtt microseconds, not 0 */
export function addSmoothed(totals: FlowSums, rtt: number): void {
  totals.smoothed++
  totals.rttSamples().add(rtt)
}
