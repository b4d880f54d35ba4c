/** FlowSums per process of one host's window, for people who watch and for the group `process`. */

import { layoutOf } from '../../wire/columns.ts'
import { Group } from '../../wire/count/flow_sums.ts'
import { textOf } from '../../wire/layout.ts'

/** `comm_t`: at most fifteen characters, ended by a NUL. */
const readComm = textOf(layoutOf('comm', { comm: 16 }), 'comm')

export class ProcessGroup extends Group {
  readonly pid: number
  readonly comm: string
  /** Where its first row counted. */
  readonly owner: Group

  constructor(pid: number, comm: string, owner: Group) {
    super()
    this.pid = pid
    this.comm = comm
    this.owner = owner
  }
}

export class Processes {
  readonly byPid = new Map<number, ProcessGroup>()
  /** Rows that count with no process, because there are too many. */
  overflowed = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** @param comm the offset of the row's `comm_t` */
  of(pid: number, rows: Buffer, comm: number, owner: Group): ProcessGroup | undefined {
    let process = this.byPid.get(pid)
    if (!process && this.byPid.size < this.#most) {
      process = new ProcessGroup(pid, readComm(rows, comm), owner)
      this.byPid.set(pid, process)
    }
    if (!process) this.overflowed++
    return process
  }
}
