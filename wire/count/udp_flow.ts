/** `udp_flow`: flows and what they carry. UDP has no RTT, and does not change the mean of TCP. */

import { type Layout, viewOf } from '../layout.ts'
import { ROLE_SERVER, UDP_FLOW } from '../records.ts'
import type { FlowSums } from './flow_sums.ts'
import { type Counts, type FlowDecoder, REQUIRED } from './record.ts'
import { addUdpFlowDeltas, addUdpFlowLevels } from './sums.ts'
import { type Table, tableOf } from './table.ts'

type UdpTable = Table<typeof UDP_FLOW>

export function udpFlow(layout: Layout): FlowDecoder {
  const table = tableOf(layout, UDP_FLOW, REQUIRED)
  return { size: table.incoming, fold: (rows, counts) => fold(table, table.rows(rows), counts) }
}

function fold({ size, at }: UdpTable, rows: Buffer, { owners, processes }: Counts): void {
  const view = viewOf(rows)
  for (let row = 0; row < rows.length; row += size) {
    const group = owners.of(view, row, at)
    if (group === undefined) continue
    const server = view.getUint8(row + at.role) === ROLE_SERVER
    count(server ? group.server : group.client, view, row, at)
    if (processes === undefined) continue
    const process = processes.of(view.getUint32(row + at.pid, true), rows, row + at.comm, group)
    if (process) count(server ? process.server : process.client, view, row, at)
  }
}

function count(totals: FlowSums, view: DataView, row: number, at: UdpTable['at']): void {
  totals.flows++
  addUdpFlowLevels(totals, view, row, at)
  addUdpFlowDeltas(totals, view, row, at)
}
