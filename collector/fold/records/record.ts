/** What the collector does with the rows of a record; each record that is no flow is a file beside this one. */

import type { Counts } from '../../../wire/count/record.ts'
import type { HostRecord } from '../../../wire/host_records.ts'
import type { Owned } from '../owned.ts'

/** A row of a record that belongs to no flow: its texts become tags, its numbers fields. */
export interface FlatRow {
  readonly tags: Readonly<Record<string, string>>
  readonly numbers: Readonly<Record<string, number>>
}

/** Where rows count. */
export interface Into extends Counts {
  keep(record: HostRecord, row: FlatRow): void
  /** Numbers of an owner by the values of dimensions. */
  readonly owned: Pick<Owned, 'add'>
}

export interface Decoder {
  /** Bytes from one row to the next. */
  readonly size: number
  readonly fold: (rows: Buffer, into: Into) => void
}
