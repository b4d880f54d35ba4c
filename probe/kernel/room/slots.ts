/** Slots of flows: an array that grows by chunks (`SLOTS` in `bpf/slot.bpf.h`). */

import { cpus } from 'node:os'
import type { BpfObject } from 'bcc-bindings'
import type { Growing } from '../../signals/signal.ts'
import type { Grown, Word } from './growing.ts'

/**
 * Slots that are there before they are needed: until the probe is called and has made more, a few milliseconds, or a tenth of
 * a second when it is busy. A CPU opens 30,000 sockets a second (65 µs for a connection with both ends).
 */
const AHEAD = 6144
const AHEAD_PER_CPU = 1024

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
    return this.room < this.#wanted()
  }

  async grow(): Promise<void> {
    const count = Math.ceil((this.#wanted() - this.room) / this.#chunk)
    this.room +=
      this.#chunk * (await this.#object.growMap(this.name, { first: this.room / this.#chunk, count }))
  }

  promise(grows: boolean): void {
    this.#coming.set(grows ? this.#most : 0)
  }

  /** Twice as many when they ran out: the scan finds thousands at once. */
  #wanted(): number {
    const used = this.#used.get()
    return Math.min(used + Math.max(this.#ahead, used >= this.room - this.#chunk / 2 ? used : 0), this.#most)
  }
}
