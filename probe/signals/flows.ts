/** The contract of the kernel side and the reader about the flows of a signal. */

import type { Layout } from '../../wire/layout.ts'

/** One kind of flow. The layout's name is that of the record and of its ring. */
export interface Flows {
  readonly layout: Layout
  /** Of flows that had a whole row before. */
  readonly update?: Layout
  /** Rows that the same pass writes beside them. */
  readonly beside?: Layout
  /** Whether a flow's close has a row of its own, without traffic; undefined when all rows come from the pass. */
  readonly tellsClose?: boolean
}

/** Counts of one run of the report pass. */
export interface Pass {
  /** Slots whose ring record was not submitted yet. */
  closing: number
  /** Flows found closed without a CLOSE event. */
  missed: number
  /** Flows whose owner is a guess. */
  guessed: number
  /** Those that were accepted and not used, when a pass first sees them. */
  unused: number
}
