/** The owner of a row, by the names that the probe sends for cgroups and network namespaces. */

import type { Group } from '../../wire/count/flow_sums.ts'
import { GroupLookup } from '../../wire/count/group_lookup.ts'
import type { Names } from '../../wire/message.ts'

/** Words of an entry: the cgroup's two, its hierarchy, and the container's place + 1. */
const WORDS = 4
/** Entries in a row that are searched: who sends the names also chooses where they fall. */
const MAX_STEPS = 8

/** Containers by what rows have of them: the numbers. A table of words, because each row looks something up. */
class Places {
  /** Ids of containers, by place. */
  readonly ids: readonly string[]
  readonly netns: Names['netns']
  readonly #cgroups: Int32Array
  readonly #mask: number
  /** Those that found no entry. */
  readonly #others = new Map<string, number>()
  readonly #namespaces = new Map<number, number>()

  constructor({ cgroups, netns }: Names) {
    const [byCgroup, byNamespace] = [Object.entries(cgroups), Object.entries(netns ?? {})]
    this.netns = netns
    this.ids = [...byCgroup, ...byNamespace].map(([, id]) => id)
    const entries = 2 ** Math.ceil(Math.log2(2 * byCgroup.length + 1)) // half of them free, so that searches end soon
    this.#cgroups = new Int32Array(entries * WORDS)
    this.#mask = entries - 1
    for (const [place, [key]] of byCgroup.entries()) this.#put(key, place)
    for (const [index, [inode]] of byNamespace.entries())
      this.#namespaces.set(Number(inode), byCgroup.length + index)
  }

  /** The cgroup goes first; a container without one is known by its network namespace. @returns -1 for none */
  find(low: number, high: number, hierarchy: number, netns: number): number {
    const entry = this.#entry(low, high, hierarchy)
    const place = entry < 0 ? this.#others.get(`${[low, high, hierarchy]}`) : this.#cgroups[entry + 3]
    return place ? place - 1 : (this.#namespaces.get(netns >>> 0) ?? -1)
  }

  /** @param key `hierarchy:cgroup` */
  #put(key: string, place: number): void {
    const [hierarchy, cgroup] = key.split(':').map(Number) as [number, number]
    if (key !== `${hierarchy}:${cgroup}`) return // no row has it
    const words = [cgroup | 0, Math.floor(cgroup / 2 ** 32), hierarchy | 0] as const
    const entry = this.#entry(...words)
    if (entry < 0) this.#others.set(`${words}`, place + 1)
    else this.#cgroups.set([...words, place + 1], entry)
  }

  /** Where these numbers are, or would be; -1 where there is no entry for them. */
  #entry(low: number, high: number, hierarchy: number): number {
    const table = this.#cgroups
    const first = low ^ high ^ hierarchy
    for (let at = first; at < first + MAX_STEPS; at++) {
      const entry = (at & this.#mask) * WORDS
      if (table[entry + 3] === 0) return entry
      if (table[entry] === low && table[entry + 1] === high && table[entry + 2] === hierarchy) return entry
    }
    return -1
  }
}

/** A probe's names are mostly those of its last window, and then they are the same objects. */
const known = new WeakMap<Names['cgroups'], Places>()

function placesOf(names: Names): Places {
  const before = known.get(names.cgroups)
  if (before && before.netns === names.netns) return before
  const places = new Places(names)
  known.set(names.cgroups, places)
  return places
}

/** @typeParam G a group, or whatever else is kept of a container */
export class Containers<G = Group> extends GroupLookup<G> {
  readonly #places: Places
  readonly #container: (id: string) => G
  readonly #host: G
  /** By place. */
  readonly #groups: (G | undefined)[]

  /**
   * @param container the group of a container; called once, at its first row
   * @param host what is in no container
   */
  constructor(names: Names, container: (id: string) => G, host: G) {
    super()
    this.#places = placesOf(names)
    this.#container = container
    this.#host = host
    this.#groups = this.#places.ids.map(() => undefined)
  }

  protected override find(low: number, high: number, hierarchy: number, netns: number): G {
    const place = this.#places.find(low, high, hierarchy, netns)
    if (place < 0) return this.#host
    let group = this.#groups[place]
    if (group === undefined) {
      group = this.#container(this.#places.ids[place]!)
      this.#groups[place] = group
    }
    return group
  }
}
