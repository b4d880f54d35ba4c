/** Objects of one kind, by namespace and name. */

import type { Named } from '../objects.ts'

/** What to do when an object comes, changes or goes. Times are milliseconds since the epoch. */
export interface Index<O extends Named> {
  /** @param before what it was, if it is not new */
  set(object: O, before: O | undefined, atMs: number): void
  remove(object: O, atMs: number): void
  expire?(beforeMs: number): void
  /** Of its parts, those that found no room. */
  readonly refused?: number
}

export const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`

export class Keep<O extends Named> {
  /** Objects, and parts of them. */
  #refused = 0
  readonly #objects = new Map<string, O>()
  readonly #index: Index<O>
  readonly #most: number
  /** Keys that the running list has had. */
  #listed: Set<string> | undefined

  /** @param most objects at once */
  constructor(index: Index<O>, most: number) {
    this.#index = index
    this.#most = most
  }

  get size(): number {
    return this.#objects.size
  }

  /** What it had no room for. */
  get refused(): number {
    return this.#refused + (this.#index.refused ?? 0)
  }

  get(namespace: string, name: string): O | undefined {
    return this.#objects.get(keyOf(namespace, name))
  }

  set(object: O, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    const before = this.#objects.get(key)
    if (!before && this.#objects.size >= this.#most) {
      this.#refused++
      return
    }
    this.#refused += object.cut ?? 0
    this.#listed?.add(key)
    this.#objects.set(key, object)
    this.#index.set(object, before, atMs)
  }

  /** @param object its last state, which may say when it ended */
  remove(object: O, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    if (!this.#objects.delete(key)) return
    this.#index.remove(object, atMs)
  }

  /** A list of all objects begins: each of them is set next. */
  beginList(): void {
    this.#listed = new Set()
  }

  /** The list is whole: what was not in it is gone. */
  endList(atMs: number): void {
    for (const [key, object] of this.#objects) if (!this.#listed?.has(key)) this.remove(object, atMs)
    this.#listed = undefined
  }

  expire(beforeMs: number): void {
    this.#index.expire?.(beforeMs)
  }
}
