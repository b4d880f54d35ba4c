/**
 * The last `who` of each probe, parsed: from message to message and window to window it mostly stays as it is. With 200
 * containers to each 4,096 rows, parsing it took twice as long as folding the rows.
 */

import type { Who } from './message.ts'

/** Bytes of an entry beside its frame: the key, and the objects. */
const OVERHEAD = 2048

export class KnownWho {
  readonly #known = new Map<string, { readonly frame: Buffer; readonly who: Who }>()
  readonly #mostBytes: number
  #bytes = 0

  /** @param mostBytes of frames that are kept; what is made of them takes three times as much */
  constructor(mostBytes = 8 * 2 ** 20) {
    this.#mostBytes = mostBytes
  }

  /** @param key the probe, and whether it is the `who` of rows or of a window's end */
  get(key: string, frame: Buffer): Who | undefined {
    const known = this.#known.get(key)
    return known?.frame.equals(frame) ? known.who : undefined
  }

  set(key: string, frame: Buffer, who: Who): void {
    this.#delete(key)
    this.#known.set(key, { frame, who })
    this.#bytes += frame.length + OVERHEAD
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= this.#mostBytes) break
      this.#delete(oldest)
    }
  }

  #delete(key: string): void {
    const known = this.#known.get(key)
    if (known) this.#bytes -= known.frame.length + OVERHEAD
    this.#known.delete(key)
  }
}
