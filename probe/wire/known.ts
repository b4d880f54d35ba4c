/**
 * What was parsed before, told by its bytes: the names that a probe says mostly stay as they are from message to message
 * and window to window, and so do the layouts of all probes. With 200 containers to each 4,096 rows, parsing the names
 * took twice as long as folding the rows.
 */

import type { Layout } from './layout.ts'
import type { Who } from './message.ts'

/** Bytes of an entry beside its frame: the key, and the objects. */
const OVERHEAD = 2048
const MOST_LAYOUTS = 64

export class Known {
  /** By probe. */
  readonly #who = new Map<string, { readonly frame: Buffer; readonly who: Who }>()
  readonly #layouts = new Map<string, Layout>()
  readonly #mostBytes: number
  #bytes = 0

  /** @param mostBytes of frames of names that are kept; what is made of them takes three times as much */
  constructor(mostBytes = 16 * 2 ** 20) {
    this.#mostBytes = mostBytes
  }

  /** @param parse called for names that this probe did not say in its last message */
  who(probe: string, frame: Buffer, parse: (frame: Buffer) => Who): Who {
    const known = this.#who.get(probe)
    if (known?.frame.equals(frame)) return known.who
    const who = parse(frame)
    this.#forget(probe)
    // a copy: what came with the message is in memory that is slow to come back
    this.#who.set(probe, { frame: Buffer.from(frame), who })
    this.#bytes += frame.length + OVERHEAD
    for (const oldest of this.#who.keys()) {
      if (this.#bytes <= this.#mostBytes) break
      this.#forget(oldest)
    }
    return who
  }

  /** @returns the same object for the same bytes */
  layout(frame: Buffer, parse: (frame: Buffer) => Layout): Layout {
    const key = frame.toString('latin1')
    let layout = this.#layouts.get(key)
    if (!layout) {
      layout = parse(frame)
      if (this.#layouts.size >= MOST_LAYOUTS) this.#layouts.clear()
      this.#layouts.set(key, layout)
    }
    return layout
  }

  #forget(probe: string): void {
    const known = this.#who.get(probe)
    if (known) this.#bytes -= known.frame.length + OVERHEAD
    this.#who.delete(probe)
  }
}
