/** Which probe may yet tell of a conversation's other end, and how far its windows have come. */

import type { Run } from '../../flows/table/run.ts'
import type { FlowStore } from '../../flows/table/store.ts'
import { ANYBODY, NOBODY } from '../record/ends.ts'

/** A node as the cluster calls it: by the name that its probe has for it, or by a pod of it; else as its probe does. */
export function nodeOf({ facts, places }: FlowStore, run: Run): string {
  if (!facts.isKnown || facts.nodeByName(run.host)) return run.host
  for (const number of run.places.values()) {
    const uid = places.get(number)?.name.pod
    const node = uid === undefined ? '' : facts.podByUid(uid)?.node
    if (node) return node
  }
  return run.host
}

/** The probe of a node, by the number of its run; of several the one heard last. */
export function probeOf(store: FlowStore, node: string): number {
  let found: Run | undefined
  for (const run of store.runs) {
    if (run.isFolded || (found && found.seenMs > run.seenMs)) continue
    if (nodeOf(store, run) === node) found = run
  }
  return found?.number ?? NOBODY
}

/**
 * Label of the last window that has ended there, seconds since the epoch; what began before it would be known.
 * @param who a run's number, ANYBODY or NOBODY
 * @param boot of the machine that asks, which is not meant by ANYBODY
 * @returns Infinity: nobody is there who could tell
 */
export function toldUntil({ runs }: FlowStore, who: number, boot?: number, since = 0): number {
  if (who !== ANYBODY) return runs.at(who)?.time ?? Number.POSITIVE_INFINITY
  // a probe that was started again has two runs for a while
  const times = new Map<number, number>()
  for (const run of runs)
    if (run.boot !== boot && !run.isFolded && run.time > since)
      times.set(run.boot, Math.max(run.time, times.get(run.boot) ?? 0))
  return Math.min(Number.POSITIVE_INFINITY, ...times.values())
}
