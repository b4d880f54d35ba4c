/** What counting the rows of flows needs, on the probe as in the collector; each record is a file beside this one. */

import type { Group } from './totals.ts'

/** The columns that every record of sockets has; without these a row has no owner. */
export const OWNER_COLUMNS = { cgroup: 'u64', hierarchy: 'u32', netns: 'u32', role: 'u8' } as const
export const REQUIRED = ['cgroup', 'hierarchy'] as const

/** `enum role` and `enum flow_flags` in `probe/bpf/types.h`. */
export const ROLE_CLIENT = 1
export const ROLE_SERVER = 2
export const FLOW_PREDATES = 1
export const FLOW_SAMPLED = 8
export const FLOW_FAILED = 16

/** Where the columns of a row lie that tell its owner. */
export interface OwnerColumns {
  readonly cgroup: number
  readonly hierarchy: number
  readonly netns: number
}

/** Where flows count. Each is asked once for each row, in the rows' order. */
export interface Counts {
  readonly owners: {
    /** Undefined when the row counts nowhere. */
    of(view: DataView, row: number, at: OwnerColumns): Group | undefined
  }
  /** Undefined when nobody asks for processes. */
  readonly processes:
    | {
        /** @param comm where the row's `comm_t` lies */
        of(pid: number, rows: Buffer, comm: number, owner: Group): Group | undefined
      }
    | undefined
}

export interface FlowDecoder {
  /** Bytes from one row to the next. */
  readonly size: number
  readonly fold: (rows: Buffer, counts: Counts) => void
}
