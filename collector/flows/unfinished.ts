/** Windows that have not ended: their probe sends them again, to this collector or another one, and then they count. */

import { NUMBER, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import type { FlowStore } from './table/store.ts'

const NUMBERS = [
  [NUMBER.BYTES_SENT, NUMBER.WINDOW_BYTES_SENT],
  [NUMBER.BYTES_RCVD, NUMBER.WINDOW_BYTES_RCVD],
] as const
const PACKETS = [
  [NUMBER.PACKETS_SENT, WORD.WINDOW_SENT],
  [NUMBER.PACKETS_RCVD, WORD.WINDOW_RCVD],
] as const

/** Takes away what the unfinished window of a run has added to its flows. */
export function takeBack(store: FlowStore, run: Run): void {
  const { table } = store
  for (const flow of store.ofRun(run)) {
    if (table.word(flow, WORD.WINDOW) <= run.window + 1) continue
    for (const [total, window] of NUMBERS) {
      table.setNumber(flow, total, table.number(flow, total) - table.number(flow, window))
      table.setNumber(flow, window, 0)
    }
    for (const [total, window] of PACKETS) {
      table.setNumber(flow, total, table.number(flow, total) - table.word(flow, window))
      table.setWord(flow, window, 0)
    }
    table.setWord(flow, WORD.RESENT, table.word(flow, WORD.RESENT) - table.word(flow, WORD.WINDOW_RESENT))
    table.setWord(flow, WORD.WINDOW_RESENT, 0)
  }
}
