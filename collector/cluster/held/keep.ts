/** Objects of one kind, by namespace and name. */

import type { Protocol } from '../facts.ts'
import type { Named } from '../objects.ts'

/** What to do when an object comes, changes or goes. Times are milliseconds since the epoch. */
export interface Index<O extends Named> {
  /** @param before what it was, if it is not new */
  set(object: O, before: O | undefined, atMs: number): void
  /**
   * @param object as it was set
   * @param last its last state, which may say when it ended
   */
  remove(object: O, atMs: number, last: O): void
  expire?(beforeMs: number): void
  /** Of its parts, those that found no room. */
  readonly refused?: number
}

export const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`
export const portKey = (ip: string, port: number, protocol: Protocol): string => `${ip} ${port}/${protocol}`

export class Keep<O extends Named> {
  /** Objects, and parts of them. */
  #refused = 0
  readonly #objects = new Map<string, O>()
  readonly #index: Index<O>
  readonly #most: number
  /** Keys that the running list has had. */
  #listed: Set<string> | undefined
  /** By key, what went and when; undefined: its index remembers that. */
  readonly #gone: Map<string, { readonly object: O; readonly atMs: number }> | undefined

  /**
   * @param most objects at once
   * @param isRemembered what is gone can be had for a while: others that it made are still asked about
   */
  constructor(index: Index<O>, most: number, isRemembered = false) {
    this.#index = index
    this.#most = most
    this.#gone = isRemembered ? new Map() : undefined
  }

  get size(): number {
    return this.#objects.size
  }

  /** What it had no room for. */
  get refused(): number {
    return this.#refused + (this.#index.refused ?? 0)
  }

  get(namespace: string, name: string): O | undefined {
    const key = keyOf(namespace, name)
    return this.#objects.get(key) ?? this.#gone?.get(key)?.object
  }

  set(object: O, atMs: number): void {
    const key = keyOf(object.namespace, object.name)
    const before = this.#objects.get(key)
    if (!before && this.#objects.size >= this.#most) {
      this.#refused++
      return
    }
    this.#refused += Math.max(0, (object.cut ?? 0) - (before?.cut ?? 0))
    this.#listed?.add(key)
    this.#objects.set(key, object)
    // of the same name and made later: the end of the one before was not heard
    const isAnother = before && object.created > 0 && before.created !== object.created
    if (isAnother) this.#index.remove(before, Math.min(object.created, atMs), before)
    this.#index.set(object, isAnother ? undefined : before, atMs)
  }

  /** @param last its last state */
  remove(last: O, atMs: number): void {
    const key = keyOf(last.namespace, last.name)
    const object = this.#objects.get(key)
    if (!object) return
    this.#objects.delete(key)
    if (this.#gone && this.#gone.size < this.#most) this.#gone.set(key, { object, atMs })
    this.#index.remove(object, atMs, last)
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
    for (const [key, { atMs }] of this.#gone ?? []) if (atMs < beforeMs) this.#gone!.delete(key)
  }
}
