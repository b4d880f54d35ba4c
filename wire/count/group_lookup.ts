/** Finds the group in which a row counts; each program has its own groups. */

import type { Group } from './flow_sums.ts'
import type { OwnerColumns } from './record.ts'

/** Kernfs ids stay far below 2^53; above it two ids could be the same JavaScript number. */
const UNSAFE_HIGH = 2 ** 21

/** @typeParam G what it finds */
export abstract class GroupLookup<G = Group> {
  /** Rows whose cgroup id is too large to be exact: none, with any known kernel. */
  refused = 0
  // The last lookup: rows of one cgroup often come together.
  #low = -1
  #high = -1
  #hierarchy = -1
  #netns = -1
  #last: G | undefined

  /**
   * The group of a cgroup of a hierarchy in a network namespace; undefined when there is none.
   * @param low the cgroup's lower word; all words are signed: unsigned ones would not fit V8's small integers
   */
  protected abstract find(low: number, high: number, hierarchy: number, netns: number): G | undefined

  of(view: DataView, row: number, { cgroup, hierarchy, netns }: OwnerColumns): G | undefined {
    const low = view.getInt32(row + cgroup, true)
    const high = view.getInt32(row + cgroup + 4, true)
    const root = view.getInt32(row + hierarchy, true)
    const inode = view.getInt32(row + netns, true)
    if (high < 0 || high >= UNSAFE_HIGH) {
      this.refused++
      return undefined
    }
    if (low === this.#low && high === this.#high && root === this.#hierarchy && inode === this.#netns)
      return this.#last
    this.#low = low
    this.#high = high
    this.#hierarchy = root
    this.#netns = inode
    this.#last = this.find(low, high, root, inode)
    return this.#last
  }
}
