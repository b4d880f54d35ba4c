/** What a file said, read again when the file has changed. */

import { changeOf } from './files.ts'

export class Kept<T> {
  readonly #known = new Map<string, { readonly changed: number; readonly value: T }>()
  readonly #read: (path: string) => T
  readonly #most: number

  /** @param most files that are remembered, the last used */
  constructor(most: number, read: (path: string) => T) {
    this.#most = most
    this.#read = read
  }

  get(path: string): T {
    const changed = changeOf(path)
    const known = this.#known.get(path)
    this.#known.delete(path) // to the end: it is in use
    const file = known?.changed === changed ? known : { changed, value: this.#read(path) }
    if (changed !== 0) this.#known.set(path, file) // 0: there is none
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#most) break
      this.#known.delete(oldest)
    }
    return file.value
  }
}
