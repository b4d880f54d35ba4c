/**
 * Live flows, a row each, in blocks of a megabyte. A block is never moved or given back: the table is as large as it was when
 * it was fullest. Rows are together, not columns: what reads one field of a flow reads its neighbours next.
 */

import { ROW_BYTES, ROW_NUMBERS, ROW_WORDS, WORD } from './columns.ts'

const BLOCK_BITS = 12
const BLOCK_ROWS = 1 << BLOCK_BITS
const IN_BLOCK = BLOCK_ROWS - 1

export class FlowTable {
  readonly #words: Uint32Array[] = []
  readonly #numbers: Float64Array[] = []
  readonly #most: number
  /** Rows that were ever taken. The first has number 1: 0 is none. */
  #used = 1
  /** The first free row; they are linked by NEXT_OF_RUN. */
  #free = 0
  size = 0

  /** @param most flows at once */
  constructor(most: number) {
    this.#most = most
  }

  get most(): number {
    return this.#most
  }

  /** Rows from 1 up to this one were taken once; those that are free now have no RUN. */
  get used(): number {
    return this.#used
  }

  get bytes(): number {
    return this.#words.length * BLOCK_ROWS * ROW_BYTES
  }

  /** @returns a row of zeros; 0: there is no room */
  take(): number {
    if (this.size >= this.#most) return 0
    this.size++
    const free = this.#free
    if (free !== 0) {
      this.#free = this.word(free, WORD.NEXT_OF_RUN)
      this.setWord(free, WORD.NEXT_OF_RUN, 0)
      return free
    }
    const flow = this.#used++
    if (flow >>> BLOCK_BITS >= this.#words.length) {
      const block = new ArrayBuffer(BLOCK_ROWS * ROW_BYTES)
      this.#words.push(new Uint32Array(block))
      this.#numbers.push(new Float64Array(block))
    }
    return flow
  }

  give(flow: number): void {
    const first = (flow & IN_BLOCK) * ROW_WORDS
    this.#words[flow >>> BLOCK_BITS]!.fill(0, first, first + ROW_WORDS)
    this.setWord(flow, WORD.NEXT_OF_RUN, this.#free)
    this.#free = flow
    this.size--
  }

  word(flow: number, at: number): number {
    return this.#words[flow >>> BLOCK_BITS]![(flow & IN_BLOCK) * ROW_WORDS + at]!
  }

  setWord(flow: number, at: number, value: number): void {
    this.#words[flow >>> BLOCK_BITS]![(flow & IN_BLOCK) * ROW_WORDS + at] = value
  }

  number(flow: number, at: number): number {
    return this.#numbers[flow >>> BLOCK_BITS]![(flow & IN_BLOCK) * ROW_NUMBERS + at]!
  }

  setNumber(flow: number, at: number, value: number): void {
    this.#numbers[flow >>> BLOCK_BITS]![(flow & IN_BLOCK) * ROW_NUMBERS + at] = value
  }

  /** The words of the flow's block, and where its row begins in them: for loops that touch many of its words. */
  block(flow: number): Uint32Array {
    return this.#words[flow >>> BLOCK_BITS]!
  }

  at(flow: number): number {
    return (flow & IN_BLOCK) * ROW_WORDS
  }
}
