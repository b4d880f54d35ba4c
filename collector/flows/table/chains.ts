/** A hash table of flows whose chains are linked through their rows, both ways: eight bytes a flow, and removal without a search. */

import type { FlowTable } from './table.ts'

const FIRST_HEADS = 1024

export class Chains {
  readonly #table: FlowTable
  readonly #next: number
  readonly #previous: number
  readonly #hashOf: (flow: number) => number
  #heads = new Uint32Array(FIRST_HEADS)
  #size = 0

  /**
   * @param links columns of the next and the previous flow
   * @param hashOf 32 bits, of what the flow's row has
   */
  constructor(
    table: FlowTable,
    [next, previous]: readonly [next: number, previous: number],
    hashOf: (flow: number) => number,
  ) {
    this.#table = table
    this.#next = next
    this.#previous = previous
    this.#hashOf = hashOf
  }

  get bytes(): number {
    return this.#heads.byteLength
  }

  /** The first flow with this hash or another one; 0: none. */
  first(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)]!
  }

  next(flow: number): number {
    return this.#table.word(flow, this.#next)
  }

  add(flow: number): void {
    if (this.#size++ >= this.#heads.length) this.#grow()
    this.#put(flow)
  }

  /** @param flow that has been added */
  remove(flow: number): void {
    const [next, previous] = [this.next(flow), this.#table.word(flow, this.#previous)]
    if (previous !== 0) this.#table.setWord(previous, this.#next, next)
    else this.#heads[this.#hashOf(flow) & (this.#heads.length - 1)] = next
    if (next !== 0) this.#table.setWord(next, this.#previous, previous)
    this.#table.setWord(flow, this.#next, 0)
    this.#table.setWord(flow, this.#previous, 0)
    this.#size--
  }

  #put(flow: number): void {
    const head = this.#hashOf(flow) & (this.#heads.length - 1)
    const next = this.#heads[head]!
    this.#table.setWord(flow, this.#next, next)
    this.#table.setWord(flow, this.#previous, 0)
    if (next !== 0) this.#table.setWord(next, this.#previous, flow)
    this.#heads[head] = flow
  }

  #grow(): void {
    const old = this.#heads
    this.#heads = new Uint32Array(old.length * 2)
    for (const first of old)
      for (let flow = first; flow !== 0; ) {
        const next = this.next(flow)
        this.#put(flow)
        flow = next
      }
  }
}

/** 32 bits of two words, well mixed (the finalizer of MurmurHash3). */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b ^ (b >>> 15), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
