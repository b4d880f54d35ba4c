/** Connections whose SYN nobody has answered. */

import { NUMBER, WORD } from '../flows/table/columns.ts'
import { type FlowStore, protocolOf, stateOf, TCP } from '../flows/table/store.ts'

/** `tcp_states.h` */
const SYN_SENT = 2
/** TCP_TIMEOUT_INIT: after it the SYN is sent again. */
const LATE_SECONDS = 1

/** Seconds at the end of the last window; 0 for a connection that does not wait, or not for long. */
export function waitsFor(store: FlowStore, flow: number): number {
  const kind = store.table.word(flow, WORD.KIND)
  if (stateOf(kind) !== SYN_SENT || protocolOf(kind) !== TCP || store.isClosed(flow)) return 0
  const { time, offsetMs } = store.runOf(flow)
  if (offsetMs === undefined) return 0
  const seconds = time - (store.table.number(flow, NUMBER.OPENED) + offsetMs) / 1000
  return seconds >= LATE_SECONDS ? seconds : 0
}

export const isUnanswered = (store: FlowStore, flow: number): boolean => waitsFor(store, flow) > 0
