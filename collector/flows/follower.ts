/** Who follows conversations by a clock of its own, besides the records that the stage makes. */

import type { Run } from './table/run.ts'
import type { FlowStore } from './table/store.ts'

export interface Followed {
  readonly store: FlowStore
  /**
   * The address of this flow's other end is one that a socket on another machine has had as its own lately: a probe watches
   * that machine, or did until a moment ago.
   */
  isPeerElsewhere(flow: number): boolean
  /** A probe watches that address, on any machine, or did until a moment ago. */
  isPeerWatched(flow: number): boolean
}

export interface Follower {
  /** A window of its host has ended. */
  window(flows: Followed, run: Run): void
  /**
   * A conversation has ended for both its ends; they are forgotten next, first this one. Called once for each.
   * @param flow either of its flows
   */
  last(flows: Followed, flow: number): void
  /** The probe of a run is gone: its flows are forgotten next. Conversations whose other end has a probe go on without them. */
  leave(flows: Followed, run: Run): void
  /** The place of this flow is another's from now on. */
  forget(flow: number): void
}
