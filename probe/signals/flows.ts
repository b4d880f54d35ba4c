/** What the kernel side and the reader agree on about the flows of a signal. */

import type { Layout } from '../../wire/layout.ts'

/** One kind of flow. The layout's name is that of the record and of its ring. */
export interface Flows {
  readonly layout: Layout
  /** Of rows of flows that rows with everything were sent of. */
  readonly update?: Layout
  /** Whether a flow's close is told by a row of its own, without traffic. */
  readonly tellsClose: boolean
}

/** What one run of the report pass met. */
export interface Pass {
  /** Slots whose close record was on its way. */
  closing: number
  /** Flows found dead that no CLOSE was seen of. */
  missed: number
  /** Flows whose owner is a guess. */
  guessed: number
}
