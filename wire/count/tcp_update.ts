/** `tcp_update`: flows that had a whole row before, and what they carry. Most rows are of this kind. */

import { type Layout, viewOf } from '../layout.ts'
import { FLOW_SAMPLED, ROLE_SERVER, TCP_UPDATE } from '../records.ts'
import { type Counts, type FlowDecoder, REQUIRED } from './record.ts'
import { type Table, tableOf } from './table.ts'
import { addSmoothed, countTraffic, flagsOf, marksMeasured } from './tcp_traffic.ts'

type UpdateTable = Table<typeof TCP_UPDATE>

export function tcpUpdate(layout: Layout): FlowDecoder {
  const table = tableOf(layout, TCP_UPDATE, REQUIRED)
  const marks = marksMeasured(layout)
  return { size: table.incoming, fold: (rows, counts) => fold(table, marks, table.rows(rows), counts) }
}

function fold({ size, at }: UpdateTable, marks: boolean, rows: Buffer, { owners, processes }: Counts): void {
  const view = viewOf(rows)
  for (let row = 0; row < rows.length; row += size) {
    const group = owners.of(view, row, at)
    if (group === undefined) continue
    const isServer = view.getUint8(row + at.role) === ROLE_SERVER
    const totals = isServer ? group.server : group.client
    const flags = flagsOf(marks, view, row, at)
    const rtt = countTraffic(totals, flags, view, row, at)
    if (rtt !== 0 && (flags & FLOW_SAMPLED) === 0) addSmoothed(totals, rtt)
    if (processes === undefined) continue
    const process = processes.of(view.getUint32(row + at.pid, true), rows, row + at.comm, group)
    if (process) countTraffic(isServer ? process.server : process.client, flags, view, row, at)
  }
}
