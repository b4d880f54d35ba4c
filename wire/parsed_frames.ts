/**
 * A cache of parsed frames, by their bytes: the names of a probe mostly stay as they are from message to message
 * and window to window, and so do the layouts of all probes. With 200 containers to each 4,096 rows, parsing the names
 * took twice as long as folding the rows.
 */

import type { Layout } from './layout.ts'

/** Bytes of an entry beside its frame: the key, and the objects. */
const OVERHEAD = 2048
/** Turns of all probes for which an unused entry is kept while others have no room. */
const TURNS = 8
/** Lists of layouts: one for each mix of records that hosts send. */
const MAX_LISTS = 64
/** Bytes of a list: ours take 15,000. A longer list is not from our probes, and is not kept. */
const MAX_LIST_BYTES = 65_536
/** Layouts of different content. */
const MAX_LAYOUTS = 256

/** @typeParam N what names are parsed to */
export class ParsedFrames<N> {
  /** By probe. */
  readonly #names = new Map<string, { readonly frame: Buffer; readonly names: N; usedAt: number }>()
  /** Look-ups so far. */
  #uses = 0
  readonly #lists: { readonly frame: Buffer; readonly layouts: readonly Layout[] }[] = []
  /** By their text. */
  readonly #layouts = new Map<string, Layout>()
  readonly #maxBytes: number
  #bytes = 0

  /** @param maxBytes of frames of names that are kept; what is made of them takes three times as much */
  constructor(maxBytes = 16 * 2 ** 20) {
    this.#maxBytes = maxBytes
  }

  /** @param parse called for names that differ from those of the last message of this probe */
  names(probe: string, frame: Buffer, parse: (frame: Buffer) => N): N {
    this.#uses++
    const known = this.#names.get(probe)
    if (known?.frame.equals(frame)) {
      known.usedAt = this.#uses
      this.#names.delete(probe) // to the end: the first is the one that was used longest ago
      this.#names.set(probe, known)
      return known.names
    }
    const names = parse(frame)
    this.#forget(probe)
    if (this.#hasRoom(frame.length + OVERHEAD)) {
      // a copy: what came with the message is memory that goes back at once
      this.#names.set(probe, { frame: Buffer.from(frame), names, usedAt: this.#uses })
      this.#bytes += frame.length + OVERHEAD
    }
    return names
  }

  /**
   * Probes send in turns. If the names of all are more than there is room for, the one that was used longest ago is
   * the one that comes next: it stays, unless it has missed several turns.
   */
  #hasRoom(bytes: number): boolean {
    for (const [oldest, { usedAt }] of this.#names) {
      if (this.#bytes + bytes <= this.#maxBytes || this.#uses - usedAt < TURNS * this.#names.size) break
      this.#forget(oldest)
    }
    return this.#bytes + bytes <= this.#maxBytes
  }

  /** @returns the same object for the same layout, in whatever list */
  layouts(frame: Buffer, parse: (frame: Buffer) => Layout[]): readonly Layout[] {
    const at = this.#lists.findIndex(known => known.frame.equals(frame))
    const known = this.#lists[at] ?? {
      frame: Buffer.from(frame),
      layouts: parse(frame).map(layout => this.#same(layout)),
    }
    if (at === 0 || frame.length > MAX_LIST_BYTES) return known.layouts
    // the most used first: all probes of one version send the same layouts
    if (at > 0) this.#lists.splice(at, 1)
    this.#lists.unshift(known)
    this.#lists.length = Math.min(this.#lists.length, MAX_LISTS)
    return known.layouts
  }

  #same(layout: Layout): Layout {
    const text = JSON.stringify(layout)
    const known = this.#layouts.get(text)
    if (known || text.length > MAX_LIST_BYTES) return known ?? layout
    if (this.#layouts.size >= MAX_LAYOUTS) this.#layouts.clear()
    this.#layouts.set(text, layout)
    return layout
  }

  #forget(probe: string): void {
    const known = this.#names.get(probe)
    if (known) this.#bytes -= known.frame.length + OVERHEAD
    this.#names.delete(probe)
  }
}
