/** What counting the rows of flows needs, on the probe as in the collector; each record is a file beside this one. */

import { TCP_FLOW } from '../records.ts'
import type { Group } from './flow_sums.ts'

const { cgroup, hierarchy, netns, role } = TCP_FLOW
/** The columns that every record of sockets has; without these a row has no owner. */
export const OWNER_COLUMNS = { cgroup, hierarchy, netns, role } as const
export const REQUIRED = ['cgroup', 'hierarchy'] as const

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
