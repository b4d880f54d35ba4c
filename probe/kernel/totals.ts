/** The sums of RTT samples and resets, of all cgroups since they were first seen: `bpf/rtt/tcp_total.bpf.h`. */

import type { BpfMap, BpfObject, Entries } from 'bcc-bindings'
import { type Word, wordsOf } from './room/growing.ts'
import { largeOf } from './room/table.ts'

const MAP = 'tcp_total'

export class Totals {
  readonly #object: BpfObject
  /** The number of the window in which sums keep their range. */
  readonly #window: Buffer
  readonly #count: Word

  constructor(object: BpfObject) {
    this.#object = object
    this.#window = object.map('.data.window').view()
    this.#count = wordsOf(object)('totals')
  }

  /** One per CPU, of each map that there is: a key may be in both. */
  read(): Entries[] {
    this.#window.writeUInt32LE((this.#window.readUInt32LE(0) + 1) >>> 0, 0)
    const all = this.#maps().map(map => map.entries())
    // the programs count what they add; what was forgotten is not in it from now on
    this.#count.set(all.reduce((sum, { count }) => sum + count, 0))
    return all
  }

  forget(key: Buffer): void {
    for (const map of this.#maps()) map.delete(key)
  }

  #maps(): BpfMap[] {
    const large = largeOf(MAP)
    return [MAP, ...(this.#object.hasMade(large) ? [large] : [])].map(name => this.#object.map(name))
  }
}
