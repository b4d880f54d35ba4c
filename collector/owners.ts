/** From a row to the group that it counts in, by what the probe says of cgroups and network namespaces. */

import type { Who } from '../probe/wire/message.ts'
import type { Group } from './totals.ts'

/** Kernfs ids stay far below 2^53; above it two could look alike as a JavaScript number. */
const UNSAFE_HIGH = 2 ** 21

/** Where the columns of a row lie that tell its owner. */
export interface OwnerColumns {
  readonly cgroup: number
  readonly hierarchy: number
  readonly netns: number
}

export class Owners {
  /** Rows whose cgroup id cannot be told apart: none, with any kernel known. */
  refused = 0
  readonly #host: Group
  readonly #cgroups = new Map<number, Map<number, Group>>()
  readonly #namespaces = new Map<number, Group>()
  // The last question and its answer: rows of one cgroup often come together.
  #low = -1
  #high = -1
  #hierarchy = -1
  #netns = -1
  #last: Group

  /**
   * @param container the group of a container
   * @param host what is in no container
   */
  constructor(who: Who, container: (id: string) => Group, host: Group) {
    this.#host = host
    this.#last = host
    for (const [key, id] of Object.entries(who.cgroups)) {
      const colon = key.indexOf(':')
      const hierarchy = Number(key.slice(0, colon))
      let cgroups = this.#cgroups.get(hierarchy)
      if (!cgroups) {
        cgroups = new Map()
        this.#cgroups.set(hierarchy, cgroups)
      }
      cgroups.set(Number(key.slice(colon + 1)), container(id))
    }
    for (const [inode, id] of Object.entries(who.netns ?? {}))
      this.#namespaces.set(Number(inode), container(id))
  }

  /** The cgroup goes first; a container without one is known by its network namespace. */
  of(view: DataView, row: number, { cgroup, hierarchy, netns }: OwnerColumns): Group | undefined {
    // signed: as unsigned numbers they would not fit V8's small integers
    const low = view.getInt32(row + cgroup, true)
    const high = view.getInt32(row + cgroup + 4, true)
    const root = view.getInt32(row + hierarchy, true)
    const inode = view.getInt32(row + netns, true)
    if (low === this.#low && high === this.#high && root === this.#hierarchy && inode === this.#netns)
      return this.#last
    if (high < 0 || high >= UNSAFE_HIGH) {
      this.refused++
      return undefined
    }
    this.#low = low
    this.#high = high
    this.#hierarchy = root
    this.#netns = inode
    const id = high * 4294967296 + (low >>> 0)
    this.#last = this.#cgroups.get(root)?.get(id) ?? this.#namespaces.get(inode >>> 0) ?? this.#host
    return this.#last
  }
}
