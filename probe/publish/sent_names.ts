/**
 * The names that go with each message of a window: those of its own rows and those that were said since the window before
 * began. So they stay what they were, and neither the probe writes them anew nor the collector reads them again. Those of
 * network namespaces are of the window alone: their numbers are used again.
 */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { Names } from '../../wire/message.ts'

/** Of one kind in one message; a host has some hundred. More than a message has rows: their names are always in it. */
const MAX_NAMES = 65_536

/** Names of one kind, and in which window each was last needed. */
class NameTable<T> {
  readonly #entries = new BoundedMap<string, { value: T; window: number }>(MAX_NAMES)

  /** @returns whether it is new, or another than before */
  add(names: Readonly<Record<string, T>>, window: number): boolean {
    let isNew = false
    for (const [key, value] of Object.entries(names)) {
      const known = this.#entries.get(key)
      if (known && isSame(known.value, value)) known.window = window
      else {
        this.#entries.set(key, { value, window })
        isNew = true
      }
    }
    return isNew
  }

  /** Those last needed before that window. @returns whether there were some */
  forget(before: number): boolean {
    const size = this.#entries.size
    for (const [key, { window }] of this.#entries) if (window < before) this.#entries.delete(key)
    return this.#entries.size < size
  }

  get all(): Record<string, T> {
    return Object.fromEntries([...this.#entries].map(([key, { value }]) => [key, value]))
  }
}

/** The name of a container that waits for it is an object of its own each time. */
const isSame = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))

export class SentNames {
  readonly #cgroups = new NameTable<string>()
  readonly #netns = new NameTable<string>()
  readonly #containers = new NameTable<Names['containers'][string]>()
  readonly #pods = new NameTable<Names['pods'][string]>()
  #names: Names = { cgroups: {}, containers: {}, pods: {} }
  #window = 0

  /** @returns the same object as the last time, unless there is something new in it */
  with({ cgroups, netns = {}, containers, pods }: Names): Names {
    const window = this.#window
    const news = [
      this.#cgroups.add(cgroups, window),
      this.#netns.add(netns, window),
      this.#containers.add(containers, window),
      this.#pods.add(pods, window),
    ]
    if (news.includes(true)) this.#say()
    return this.#names
  }

  /** A window has ended: what it did not need is not said any more. */
  end(): void {
    const names = [this.#cgroups, this.#containers, this.#pods]
    const gone = names.map(known => known.forget(this.#window))
    gone.push(this.#netns.forget(this.#window + 1))
    if (gone.includes(true)) this.#say()
    this.#window++
  }

  #say(): void {
    const netns = this.#netns.all
    this.#names = {
      cgroups: this.#cgroups.all,
      ...(Object.keys(netns).length > 0 && { netns }),
      containers: this.#containers.all,
      pods: this.#pods.all,
    }
  }
}
