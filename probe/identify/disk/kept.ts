/** Caches what was read from a file, and reads it again when the file has changed. */

import { BoundedMap } from '../../../wire/bounded_map.ts'
import { changeOf } from './files.ts'

export class Kept<T> {
  readonly #files: BoundedMap<string, { readonly changed: number; readonly value: T }>
  readonly #read: (path: string) => T

  /** @param max files in the cache, least recently used out first */
  constructor(max: number, read: (path: string) => T) {
    this.#files = new BoundedMap(max)
    this.#read = read
  }

  get(path: string): T {
    const changed = changeOf(path)
    const cached = this.#files.get(path)
    const file = cached?.changed === changed ? cached : { changed, value: this.#read(path) }
    if (changed === 0)
      this.#files.delete(path) // there is none
    else if (file !== cached) this.#files.set(path, file)
    return file.value
  }
}
