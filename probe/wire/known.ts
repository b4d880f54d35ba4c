/**
 * What was parsed before, told by its bytes: the names that a probe says mostly stay as they are from message to message
 * and window to window, and so do the layouts of all probes. With 200 containers to each 4,096 rows, parsing the names
 * took twice as long as folding the rows.
 */

import type { Layout } from './layout.ts'
import type { Who } from './message.ts'

/** Bytes of an entry beside its frame: the key, and the objects. */
const OVERHEAD = 2048
/** Each at most as long as a message: what somebody sends who is no probe of ours must not stay. */
const MOST_LAYOUTS = 32

export class Known {
  /** By probe. */
  readonly #who = new Map<string, { readonly frame: Buffer; readonly who: Who }>()
  readonly #layouts: { readonly frame: Buffer; readonly layouts: readonly Layout[] }[] = []
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

  /** @returns the same objects for the same bytes */
  layouts(frame: Buffer, parse: (frame: Buffer) => Layout[]): readonly Layout[] {
    const at = this.#layouts.findIndex(known => known.frame.equals(frame))
    const known = this.#layouts[at] ?? { frame: Buffer.from(frame), layouts: parse(frame) }
    if (at === 0) return known.layouts
    // first what is asked for most: all probes of one version say the same
    if (at > 0) this.#layouts.splice(at, 1)
    this.#layouts.unshift(known)
    this.#layouts.length = Math.min(this.#layouts.length, MOST_LAYOUTS)
    return known.layouts
  }

  #forget(probe: string): void {
    const known = this.#who.get(probe)
    if (known) this.#bytes -= known.frame.length + OVERHEAD
    this.#who.delete(probe)
  }
}
