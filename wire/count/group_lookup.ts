/** From a row to the group that it counts in, which each program finds in its own way. */

import type { Group } from './flow_sums.ts'
import type { OwnerColumns } from './record.ts'

/** Kernfs ids stay far below 2^53; above it two could look alike as a JavaScript number. */
const UNSAFE_HIGH = 2 ** 21

export abstract class GroupLookup {
  /** Rows whose cgroup id cannot be told apart: none, with any kernel known. */
  refused = 0
  // The last question and its answer: rows of one cgroup often come together.
  #low = -1
  #high = -1
  #hierarchy = -1
  #netns = -1
  #last: Group | undefined

  /**
   * The group of what a cgroup of a hierarchy owns in a network namespace; undefined where there is none.
   * @param low the cgroup's lower word; all words are signed, as unsigned numbers they would not fit V8's small integers
   */
  protected abstract find(low: number, high: number, hierarchy: number, netns: number): Group | undefined

  of(view: DataView, row: number, { cgroup, hierarchy, netns }: OwnerColumns): Group | undefined {
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
