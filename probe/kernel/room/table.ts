/** A hash table that grows once (`TABLE` in `bpf/room/table.bpf.h`): a large map beside the small one. */

import { cpus } from 'node:os'
import type { BpfObject } from 'bcc-bindings'
import type { Growing } from '../../signals/signal.ts'
import type { Grown, Word } from './growing.ts'

/**
 * An LRU map gives each CPU so many entries to take from (LOCAL_FREE_TARGET in kernel/bpf/bpf_lru_list.c): a small one with
 * many CPUs forgets what is new.
 */
const TAKEN_BY_CPU = 128

/** The name of the large map, once it is there. */
export const largeOf = (map: string): string => `${map}_large`

export class Table implements Grown {
  readonly name: string
  room: number
  readonly #object: BpfObject
  readonly #most: number
  readonly #small: number
  /** It grows when more is used. */
  readonly #enough: number
  readonly #used: Word

  constructor(object: BpfObject, { map, used, most }: Growing, word: (name: string) => Word) {
    this.name = map
    this.#object = object
    this.#most = most
    this.#used = word(used)
    const { maxEntries, type } = object.map(map).info
    this.#small = maxEntries
    this.#enough = (type === 'lru_hash' ? maxEntries - TAKEN_BY_CPU * cpus().length : maxEntries) / 2
    this.room = this.#small
  }

  isShort(): boolean {
    return this.room === this.#small && this.#most > this.#small && this.#used.get() > this.#enough
  }

  async grow(): Promise<void> {
    await this.#object.growMap(`${this.name}_more`, { entries: this.#most, as: largeOf(this.name) })
    this.room += this.#most
  }

  promise(): void {}
}
