import { BoundedMap } from '../../wire/bounded_map.ts'

/** For tags without the host: whose pod of a name was written last, and for which time. */
export class PodHosts {
  /** Pods of one name on two hosts at one time: one sample is written over the other. */
  shared = 0
  readonly #last: BoundedMap<string, { readonly host: string; readonly time: number }>

  /** @param most names that are remembered */
  constructor(most: number) {
    this.#last = new BoundedMap(most)
  }

  claim(pod: string, host: string, time: number): void {
    const last = this.#last.get(pod)
    if (last && last.host !== host && last.time === time) this.shared++
    this.#last.set(pod, { host, time })
  }
}
