/** What the collector does with the rows of a record; each record is a file beside this one. */

import type { HostRecord } from '../../probe/wire/host.ts'
import type { Owners } from '../owners.ts'
import type { Processes } from '../processes.ts'

/** The columns that every record of sockets has; without these a row has no owner. */
export const OWNER_COLUMNS = { cgroup: 'u64', hierarchy: 'u32', netns: 'u32', role: 'u8' } as const
export const REQUIRED = ['cgroup', 'hierarchy'] as const

/** `enum role` and `enum flow_flags` in `probe/bpf/types.h`. */
export const ROLE_CLIENT = 1
export const ROLE_SERVER = 2
export const FLOW_PREDATES = 1
export const FLOW_SAMPLED = 8
export const FLOW_FAILED = 16

/** A row of a record that belongs to no flow: its texts become tags, its numbers fields. */
export interface FlatRow {
  readonly tags: Readonly<Record<string, string>>
  readonly numbers: Readonly<Record<string, number>>
}

/** Where rows count. */
export interface Into {
  readonly owners: Owners
  /** Undefined when nobody asks for processes. */
  readonly processes: Processes | undefined
  keep(record: HostRecord, row: FlatRow): void
}

export interface Decoder {
  /** Bytes from one row to the next. */
  readonly size: number
  readonly fold: (rows: Buffer, into: Into) => void
}
