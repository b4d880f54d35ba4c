/** Samples that were dropped, by the host that they belonged to. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import type { Losses } from '../../wire/message.ts'

/** Host names come from outside. */
const MAX_HOSTS = 8192

export class Evictions {
  /** Since the start, by `sink/reason`. */
  readonly #hosts = new BoundedMap<string, Record<string, number>>(MAX_HOSTS)
  /** What the host's next window is to tell. */
  readonly #untold = new BoundedMap<string, Record<string, number>>(MAX_HOSTS)

  /** Who counts them for one sink. */
  of(sink: string): (host: string, reason: string, samples: number) => void {
    return (host, reason, samples) => {
      for (const hosts of [this.#hosts, this.#untold]) {
        const lost = hosts.get(host) ?? {}
        lost[`${sink}/${reason}`] = (lost[`${sink}/${reason}`] ?? 0) + samples
        hosts.set(host, lost)
      }
    }
  }

  /** What was lost of this host since the last call. */
  take(host: string): Losses {
    const lost = this.#untold.peek(host)
    this.#untold.delete(host)
    return lost ?? {}
  }

  view() {
    return { lost_by_host: Object.fromEntries(this.#hosts) }
  }
}
