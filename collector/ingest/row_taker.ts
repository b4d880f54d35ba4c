import type { Layout } from '../../wire/layout.ts'
import type { Head, Names } from '../../wire/message.ts'

/** Who reads the rows of windows as they come, besides the fold: exactly those that the fold counts. */
export interface RowTaker {
  readonly isWanted: boolean
  take(head: Head, layout: Layout, rows: Buffer, names: Names): void
}
