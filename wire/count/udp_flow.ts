/** `udp_flow`: flows and what they carry. UDP has no RTT, and does not dilute that of TCP. */

import type { Columns } from '../columns.ts'
import { type Layout, viewOf } from '../layout.ts'
import type { UdpFlow } from '../records.ts'
import { type Counts, type FlowDecoder, OWNER_COLUMNS, REQUIRED, ROLE_SERVER } from './record.ts'
import { type Table, tableOf, u64 } from './table.ts'
import type { Totals } from './totals.ts'

const COLUMNS = {
  ...OWNER_COLUMNS,
  bytes_sent: 'u64',
  bytes_rcvd: 'u64',
  packets_sent: 'u32',
  packets_rcvd: 'u32',
  pid: 'u32',
  comm: 16,
} as const satisfies Columns & { [K in keyof UdpFlow]?: unknown }
type UdpTable = Table<typeof COLUMNS>

export function udpFlow(layout: Layout): FlowDecoder {
  const table = tableOf(layout, COLUMNS, REQUIRED)
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

function count(totals: Totals, view: DataView, row: number, at: UdpTable['at']): void {
  totals.flows++
  totals.packetsSent += view.getUint32(row + at.packets_sent, true)
  totals.packetsRcvd += view.getUint32(row + at.packets_rcvd, true)
  totals.bytesSent += u64(view, row + at.bytes_sent)
  totals.bytesRcvd += u64(view, row + at.bytes_rcvd)
}
