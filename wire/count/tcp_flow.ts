/** `tcp_flow`: flows, what they carry, their smoothed RTT, and how long they took to connect. */

import { type Layout, viewOf } from '../layout.ts'
import {
  FLOW_FAILED,
  FLOW_HANDED,
  FLOW_PREDATES,
  FLOW_SAMPLED,
  ROLE_CLIENT,
  ROLE_SERVER,
  TCP_FLOW,
} from '../records.ts'
import type { FlowSums } from './flow_sums.ts'
import { type Counts, type FlowDecoder, REQUIRED } from './record.ts'
import { isZero, type Table, tableOf, u64 } from './table.ts'
import { addSmoothed, countTraffic, flagsOf, marksMeasured } from './tcp_traffic.ts'

type TcpTable = Table<typeof TCP_FLOW>
type Offsets = TcpTable['at']

export function tcpFlow(layout: Layout): FlowDecoder {
  const table = tableOf(layout, TCP_FLOW, REQUIRED)
  const marks = marksMeasured(layout)
  return { size: table.incoming, fold: (rows, counts) => fold(table, marks, table.rows(rows), counts) }
}

function fold({ size, at }: TcpTable, marks: boolean, rows: Buffer, { owners, processes }: Counts): void {
  const view = viewOf(rows)
  for (let row = 0; row < rows.length; row += size) {
    const group = owners.of(view, row, at)
    if (group === undefined) continue
    const role = view.getUint8(row + at.role)
    const flags = flagsOf(marks, view, row, at)
    const totals = role === ROLE_SERVER ? group.server : group.client
    const rtt = count(totals, flags, view, row, at)
    if (rtt !== 0 && (flags & FLOW_SAMPLED) === 0) addSmoothed(totals, rtt)
    if (role === ROLE_CLIENT && !isZero(view, row + at.established_ns))
      connected(totals, flags, view, row, at)
    if (processes === undefined) continue
    const process = processes.of(view.getUint32(row + at.pid, true), rows, row + at.comm, group)
    if (process) count(role === ROLE_SERVER ? process.server : process.client, flags, view, row, at)
  }
}

/** @returns as countTraffic */
function count(totals: FlowSums, flags: number, view: DataView, row: number, at: Offsets): number {
  if ((flags & FLOW_PREDATES) === 0 && isZero(view, row + at.reported_ns)) totals.opened++
  if ((flags & FLOW_HANDED) === 0 && !isZero(view, row + at.closed_ns)) {
    totals.closed++
    if ((flags & FLOW_FAILED) !== 0) countFailure(totals, view.getUint8(row + at.error))
  }
  return countTraffic(totals, flags, view, row, at)
}

/** errno.h, the same on every architecture that Node.js runs on. */
const [ENETUNREACH, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH] = [101, 104, 110, 111, 113]

/** @param error `sock.sk_err`; 0 when the program did not wait */
function countFailure(totals: FlowSums, error: number): void {
  totals.failed++
  if (error === ECONNREFUSED) totals.failedRefused++
  else if (error === ECONNRESET) totals.failedReset++
  else if (error === ETIMEDOUT) totals.failedTimeout++
  else if (error === EHOSTUNREACH || error === ENETUNREACH) totals.failedUnreachable++
}

/** How long a client took to connect: it counts in the window in which it did. */
function connected(totals: FlowSums, flags: number, view: DataView, row: number, at: Offsets): void {
  const established = u64(view, row + at.established_ns)
  const opened = u64(view, row + at.opened_ns)
  const isCounted = established <= u64(view, row + at.reported_ns)
  if (!isCounted && (flags & FLOW_PREDATES) === 0 && established >= opened)
    totals.connects().add((established - opened) / 1000)
}
