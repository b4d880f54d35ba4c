/** A hash table that grows once (`TABLE` in `bpf/room/table.bpf.h`): a large map beside the small one. */

import type { BpfObject } from 'bcc-bindings'
import type { Growing } from '../../signals/signal.ts'
import type { Grown, Word } from './growing.ts'

/** The name of the large map, once it is there. */
export const largeOf = (map: string): string => `${map}_large`

export class Table implements Grown {
  readonly name: string
  room: number
  readonly #object: BpfObject
  readonly #most: number
  readonly #small: number
  readonly #used: Word

  constructor(object: BpfObject, { map, used, most }: Growing, word: (name: string) => Word) {
    this.name = map
    this.#object = object
    this.#most = most
    this.#used = word(used)
    this.#small = object.map(map).info.maxEntries
    this.room = this.#small
  }

  isShort(): boolean {
    return this.room === this.#small && this.#most > this.#small && this.#used.get() > this.#small / 2
  }

  async grow(): Promise<void> {
    await this.#object.growMap(`${this.name}_more`, { entries: this.#most, as: largeOf(this.name) })
    this.room += this.#most
  }

  promise(): void {}
}
