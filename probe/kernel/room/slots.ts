/** Slots of flows: an array that grows by chunks (`SLOTS` in `bpf/slot.bpf.h`). */

import { cpus } from 'node:os'
import type { BpfObject } from 'bcc-bindings'
import type { Growing } from '../../signals/signal.ts'
import type { Grown, Word } from './growing.ts'

/**
 * Slots that are there before they are needed, at least: until the probe is called and has made more, a few milliseconds, or a
 * tenth of a second when the machine is busy. A CPU opens 30,000 sockets a second (65 µs for a connection with both ends).
 */
const AHEAD = 6144
const AHEAD_PER_CPU = 1024
/** Half as many as are used, if that is more; as many when it had to grow a moment ago, because it may come late next time. */
const SHARE = 1 / 2
const RUSH_MS = 1000

export const chunkOf = (object: BpfObject, map: string): number =>
  object.maps.find(({ name }) => name === `${map}_first`)!.maxEntries

export class Slots implements Grown {
  readonly name: string
  room: number
  readonly #object: BpfObject
  readonly #most: number
  readonly #chunk: number
  readonly #ahead: number
  readonly #used: Word
  readonly #coming: Word
  #grownMs = Number.NEGATIVE_INFINITY

  constructor(object: BpfObject, { map, used, most }: Growing, word: (name: string) => Word) {
    this.name = map
    this.#object = object
    this.#most = most
    this.#chunk = chunkOf(object, map)
    this.#ahead = Math.max(AHEAD, AHEAD_PER_CPU * cpus().length)
    this.#used = word(`${used}.used`)
    this.#coming = word(`${used}.coming`)
    this.room = this.#chunk
    this.promise(true)
  }

  isShort(): boolean {
    return this.room < this.#wanted(this.#ahead, SHARE)
  }

  async grow(): Promise<void> {
    const isRush = performance.now() - this.#grownMs < RUSH_MS
    const wanted = isRush ? this.#wanted(2 * this.#ahead, 1) : this.#wanted(this.#ahead, SHARE)
    const place = { first: this.room / this.#chunk, count: Math.ceil((wanted - this.room) / this.#chunk) }
    this.room += this.#chunk * (await this.#object.growMap(this.name, place))
    this.#grownMs = performance.now()
  }

  promise(grows: boolean): void {
    this.#coming.set(grows ? this.#most : 0)
  }

  #wanted(ahead: number, share: number): number {
    const used = this.#used.get()
    return Math.min(used + Math.max(ahead, used * share), this.#most)
  }
}
