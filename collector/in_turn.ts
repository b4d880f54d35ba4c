/** Where windows go that have ended: they are shown, they end what flows of them are known by, and they are written. */

import type { Flows } from './flows/flows.ts'
import type { Next } from './ingest/listeners.ts'
import type { Writers } from './sample/writers.ts'
import type { Top } from './serve/top.ts'

export const inTurn = (top: Top, flows: Flows, writers: Writers): Next => ({
  write(window, ifid, settled) {
    top.take(window)
    flows.end(window, ifid)
    writers.write(window, ifid, settled)
  },
  settled: (...window) => writers.settled(...window),
})
