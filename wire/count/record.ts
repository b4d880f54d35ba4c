/** What the counting of flow rows needs, on the probe and in the collector; each record has a file beside this one. */

import { TCP_FLOW } from '../records.ts'
import type { Group } from './flow_sums.ts'

const { cgroup, hierarchy, netns, role } = TCP_FLOW
/** The columns that every record of sockets has; without these a row has no owner. */
export const OWNER_COLUMNS = { cgroup, hierarchy, netns, role } as const
export const REQUIRED = ['cgroup', 'hierarchy'] as const

/** Offsets of the columns of a row's owner. */
export interface OwnerColumns {
  readonly cgroup: number
  readonly hierarchy: number
  readonly netns: number
}

/** Where flows count. Each is called once for each row, in the order of the rows. */
export interface Counts {
  readonly owners: {
    /** Undefined when the row counts nowhere. */
    of(view: DataView, row: number, at: OwnerColumns): Group | undefined
  }
  /** Undefined when processes are not counted. */
  readonly processes:
    | {
        /** @param comm offset of the row's `comm_t` */
        of(pid: number, rows: Buffer, comm: number, owner: Group): Group | undefined
      }
    | undefined
}

export interface FlowDecoder {
  /** Bytes from one row to the next. */
  readonly size: number
  readonly fold: (rows: Buffer, counts: Counts) => void
}
