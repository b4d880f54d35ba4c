/** `tcp_listen`: the queues of listening sockets, all of the role server. */

import type { FlowSums } from '../../../wire/count/flow_sums.ts'
import { REQUIRED } from '../../../wire/count/record.ts'
import { addTcpListenDeltas, addTcpListenLevels } from '../../../wire/count/sums.ts'
import { tableOf } from '../../../wire/count/table.ts'
import { type Layout, viewOf } from '../../../wire/layout.ts'
import { TCP_LISTEN } from '../../../wire/records.ts'
import type { Decoder, Into } from './record.ts'

export function tcpListen(layout: Layout): Decoder {
  const table = tableOf(layout, TCP_LISTEN, REQUIRED)
  const { incoming, size, at } = table
  const count = (totals: FlowSums, view: DataView, row: number) => {
    addTcpListenLevels(totals, view, row, at)
    addTcpListenDeltas(totals, view, row, at)
  }
  const fold = (given: Buffer, { owners, processes }: Into) => {
    const rows = table.rows(given)
    const view = viewOf(rows)
    for (let row = 0; row < rows.length; row += size) {
      const group = owners.of(view, row, at)
      if (group === undefined) continue
      count(group.server, view, row)
      const process = processes?.of(view.getUint32(row + at.pid, true), rows, row + at.comm, group)
      if (process) count(process.server, view, row)
    }
  }
  return { size: incoming, fold }
}
