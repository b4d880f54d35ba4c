/**
 * The names in each message of a window: those of its own rows and those that were sent since the window before began.
 * So they seldom change: the probe does not encode them again, and the collector does not parse them again. Names of
 * network namespaces are kept for one window only: the kernel uses their numbers again.
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

  /** Forgets those last needed before that window. @returns whether there were some */
  forget(before: number): boolean {
    const size = this.#entries.size
    for (const [key, { window }] of this.#entries) if (window < before) this.#entries.delete(key)
    return this.#entries.size < size
  }

  get all(): Record<string, T> {
    return Object.fromEntries([...this.#entries].map(([key, { value }]) => [key, value]))
  }
}

/** The name of a container whose name is pending is a new object each time. */
const isSame = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))

export class SentNames {
  readonly #cgroups = new NameTable<string>()
  readonly #netns = new NameTable<string>()
  readonly #containers = new NameTable<Names['containers'][string]>()
  readonly #pods = new NameTable<Names['pods'][string]>()
  #names: Names = { cgroups: {}, containers: {}, pods: {} }
  #window = 0

  /** @returns the same object as the last time, unless a name is new */
  with({ cgroups, netns = {}, containers, pods }: Names): Names {
    const window = this.#window
    const news = [
      this.#cgroups.add(cgroups, window),
      this.#netns.add(netns, window),
      this.#containers.add(containers, window),
      this.#pods.add(pods, window),
    ]
    if (news.includes(true)) this.#collect()
    return this.#names
  }

  /** A window has ended: names that it did not need are not sent any more. */
  end(): void {
    const names = [this.#cgroups, this.#containers, this.#pods]
    const gone = names.map(known => known.forget(this.#window))
    gone.push(this.#netns.forget(this.#window + 1))
    if (gone.includes(true)) this.#collect()
    this.#window++
  }

  #collect(): void {
    const netns = this.#netns.all
    this.#names = {
      cgroups: this.#cgroups.all,
      ...(Object.keys(netns).length > 0 && { netns }),
      containers: this.#containers.all,
      pods: this.#pods.all,
    }
  }
}
