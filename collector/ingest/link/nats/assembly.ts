/** Parts of windows, put together. A window's parts are published before the next window of its host is. */

import { MAX_WINDOW_BYTES, PartError, partOf } from '../../../../wire/nats/window.ts'

/** A message of the stream. */
export interface Part {
  readonly host: string
  /** In the stream. */
  readonly sequence: number
  /** `i/n`. */
  readonly part: string
  readonly bytes: Buffer
  /** Seconds. */
  readonly interval: number
  readonly receipt: Receipt
}

/** How one message is acknowledged to the server. */
export interface Receipt {
  /** In the stream. */
  readonly sequence: number
  /** It is settled. */
  readonly ack: () => void
  /** It is still being worked on. */
  readonly working: () => void
}

/** All parts of a window. */
export interface Whole {
  readonly host: string
  /** Of its first and its last part in the stream. */
  readonly first: number
  readonly last: number
  readonly interval: number
  readonly parts: readonly Part[]
}

interface Set {
  readonly count: number
  readonly parts: Map<number, Part>
  bytes: number
}

export class Assembly {
  /** Sets that were never complete, and messages that are no parts. */
  torn = 0
  /** At most one for each host. */
  readonly #open = new Map<string, Set>()

  /** The first part, in the stream, of those that are not whole. */
  get first(): number {
    const parts = [...this.#open.values()].flatMap(({ parts }) => [...parts.values()])
    return Math.min(...parts.map(({ sequence }) => sequence))
  }

  /** @returns the window that this part completes */
  add(part: Part): Whole | undefined {
    try {
      return this.#add(part)
    } catch (error) {
      if (!(error instanceof PartError)) throw error
      this.torn++
      part.receipt.ack()
      return undefined
    }
  }

  #add(part: Part): Whole | undefined {
    const { host } = part
    const { index, count } = partOf(part.part)
    let set = this.#open.get(host)
    if (set && (set.count !== count || set.parts.has(index))) {
      this.#tear(host)
      set = undefined
    }
    set ??= { count, parts: new Map(), bytes: 0 }
    set.parts.set(index, part)
    set.bytes += part.bytes.length
    this.#open.set(host, set)
    if (set.bytes > MAX_WINDOW_BYTES) this.#tear(host)
    if (set.parts.size < count) return undefined
    this.#open.delete(host)
    const parts = [...set.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
    const sequences = parts.map(({ sequence }) => sequence)
    const { interval } = part
    return { host, first: Math.min(...sequences), last: Math.max(...sequences), interval, parts }
  }

  /** The next window has begun. */
  #tear(host: string): void {
    for (const { receipt } of this.#open.get(host)?.parts.values() ?? []) receipt.ack()
    this.#open.delete(host)
    this.torn++
  }
}
