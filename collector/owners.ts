/** Whose rows are they? By what the probe says of cgroups and network namespaces. */

import { Owners } from '../probe/wire/fold/owners.ts'
import type { Group } from '../probe/wire/fold/totals.ts'
import type { Who } from '../probe/wire/message.ts'

export class Containers extends Owners {
  readonly #host: Group
  readonly #cgroups = new Map<number, Map<number, Group>>()
  readonly #namespaces = new Map<number, Group>()

  /**
   * @param container the group of a container
   * @param host what is in no container
   */
  constructor(who: Who, container: (id: string) => Group, host: Group) {
    super()
    this.#host = host
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
  protected override find(cgroup: number, hierarchy: number, netns: number): Group {
    return this.#cgroups.get(hierarchy)?.get(cgroup) ?? this.#namespaces.get(netns >>> 0) ?? this.#host
  }
}
