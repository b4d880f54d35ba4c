/** Conversations that are known by halves. */

import type { FlowStore } from '../table/store.ts'
import { beganMs } from './cluster_ends.ts'
import { ipAt } from './endpoint.ts'

/**
 * A server's flow without its client, although a probe watches that: its half comes later, or it is UDP behind a Service and never
 * joined. An address of a node does not identify the client: others may be masqueraded behind it.
 */
export function isSeenByClient(
  store: FlowStore,
  far: { isPeerWatched(flow: number): boolean },
  server: number,
): boolean {
  if (!far.isPeerWatched(server)) return false
  return store.facts.nodeByAddress(ipAt(store, server, 'remote'), beganMs(store, server)) === undefined
}
