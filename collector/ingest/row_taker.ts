import type { Layout } from '../../wire/layout.ts'
import type { Head, Names } from '../../wire/message.ts'

/** Who reads the rows of windows as they come, besides the fold: exactly those that the fold counts. */
export interface RowTaker {
  readonly isWanted: boolean
  take(head: Head, layout: Layout, rows: Buffer, names: Names): void
  /** @param run that is put aside: it is silent, or made room for another. If it comes back, it sends its unfinished windows again */
  leave(run: string): void
}
