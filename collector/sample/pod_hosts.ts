/** For tags that do not say the host: whose pod of a name was written last, and for which time. */
export class PodHosts {
  /** Pods of one name on two hosts at one time: one sample is written over the other. */
  shared = 0
  readonly #last = new Map<string, { readonly host: string; readonly time: number }>()
  readonly #most: number

  /** @param most names that are remembered */
  constructor(most: number) {
    this.#most = most
  }

  claim(pod: string, host: string, time: number): void {
    const last = this.#last.get(pod)
    if (last && last.host !== host && last.time === time) this.shared++
    this.#last.delete(pod)
    this.#last.set(pod, { host, time })
    const [oldest] = this.#last.keys()
    if (oldest !== undefined && this.#last.size > this.#most) this.#last.delete(oldest)
  }
}
