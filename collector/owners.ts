/** Whose rows are they? By what the probe says of cgroups and network namespaces. */

import { Owners } from '../probe/wire/fold/owners.ts'
import type { Group } from '../probe/wire/fold/totals.ts'
import type { Who } from '../probe/wire/message.ts'

/** Ids of containers by what rows have of them: the numbers. */
class Places {
  readonly netns: Who['netns']
  readonly #cgroups = new Map<number, Map<number, string>>()
  readonly #namespaces = new Map<number, string>()

  constructor({ cgroups, netns }: Who) {
    this.netns = netns
    for (const [key, id] of Object.entries(cgroups)) {
      const colon = key.indexOf(':')
      const hierarchy = Number(key.slice(0, colon))
      let ids = this.#cgroups.get(hierarchy)
      if (!ids) {
        ids = new Map()
        this.#cgroups.set(hierarchy, ids)
      }
      ids.set(Number(key.slice(colon + 1)), id)
    }
    for (const [inode, id] of Object.entries(netns ?? {})) this.#namespaces.set(Number(inode), id)
  }

  /** The cgroup goes first; a container without one is known by its network namespace. */
  find(cgroup: number, hierarchy: number, netns: number): string | undefined {
    return this.#cgroups.get(hierarchy)?.get(cgroup) ?? this.#namespaces.get(netns >>> 0)
  }
}

/** A probe's names are mostly those of its last window, and then they are the same objects. */
const known = new WeakMap<Who['cgroups'], Places>()

function placesOf(who: Who): Places {
  const before = known.get(who.cgroups)
  if (before && before.netns === who.netns) return before
  const places = new Places(who)
  known.set(who.cgroups, places)
  return places
}

export class Containers extends Owners {
  readonly #places: Places
  readonly #container: (id: string) => Group
  readonly #host: Group

  /**
   * @param container the group of a container, asked for when a row is its own
   * @param host what is in no container
   */
  constructor(who: Who, container: (id: string) => Group, host: Group) {
    super()
    this.#places = placesOf(who)
    this.#container = container
    this.#host = host
  }

  protected override find(cgroup: number, hierarchy: number, netns: number): Group {
    const id = this.#places.find(cgroup, hierarchy, netns)
    return id === undefined ? this.#host : this.#container(id)
  }
}
