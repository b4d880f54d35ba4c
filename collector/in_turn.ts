/** Where windows go that have ended: they end what flows of them are known by, they are shown, and they are written. */

import type { Flows } from './flows/flows.ts'
import type { Folded } from './ingest/folded.ts'
import type { Next } from './ingest/listeners.ts'
import type { Writers } from './sample/writers.ts'
import { afterAll } from './settled.ts'

interface Watcher {
  take(window: Folded): void
}

export const inTurn = (watchers: readonly Watcher[], flows: Flows, writers: Writers): Next => ({
  write(window, ifid, settled, border) {
    const one = afterAll(2, settled)
    const flowCounts = flows.end(window, ifid, one)
    for (const watcher of watchers) watcher.take(window)
    writers.write({ ...window, ...(flowCounts && { flowCounts }) }, ifid, one, border)
  },
  settled: (...window) => writers.settled(...window),
})
