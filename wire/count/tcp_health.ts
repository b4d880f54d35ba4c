/** `tcp_health`: why flows are slow. Their other rows count them. */

import { type Layout, viewOf } from '../layout.ts'
import { ROLE_SERVER, TCP_HEALTH } from '../records.ts'
import type { FlowSums } from './flow_sums.ts'
import { type Counts, type FlowDecoder, REQUIRED } from './record.ts'
import { addTcpHealthDeltas, addTcpHealthLevels } from './sums.ts'
import { type Table, tableOf, u64 } from './table.ts'

type HealthTable = Table<typeof TCP_HEALTH>

export function tcpHealth(layout: Layout): FlowDecoder {
  const table = tableOf(layout, TCP_HEALTH, REQUIRED)
  return { size: table.incoming, fold: (rows, counts) => fold(table, table.rows(rows), counts) }
}

function fold({ size, at }: HealthTable, rows: Buffer, { owners, processes }: Counts): void {
  const view = viewOf(rows)
  for (let row = 0; row < rows.length; row += size) {
    const group = owners.of(view, row, at)
    if (group === undefined) continue
    const isServer = view.getUint8(row + at.role) === ROLE_SERVER
    count(isServer ? group.server : group.client, view, row, at)
    if (processes === undefined) continue
    const process = processes.of(view.getUint32(row + at.pid, true), rows, row + at.comm, group)
    if (process) count(isServer ? process.server : process.client, view, row, at)
  }
}

function count(totals: FlowSums, view: DataView, row: number, at: HealthTable['at']): void {
  addTcpHealthDeltas(totals, view, row, at)
  addTcpHealthLevels(totals, view, row, at)
  const rate = u64(view, row + at.delivery_rate)
  if (rate === 0) return
  if (view.getUint8(row + at.app_limited) !== 0) {
    totals.appLimited++
    return
  }
  totals.rates++
  totals.rateSum += rate
  if (rate > totals.rateMax) totals.rateMax = rate
}
