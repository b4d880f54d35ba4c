/** Records that wait for the collector, oldest first; beyond a number of bytes the oldest go. */

import type { Template } from '../format/templates.ts'

export interface Encoded {
  readonly bytes: Buffer
  readonly domain: number
  readonly template: Template
}

/** What an entry takes besides its bytes, about. */
const ENTRY_BYTES = 100

export class Waiting {
  /** Records that were dropped. */
  dropped = 0
  bytes = 0
  readonly #most: number
  #entries: Encoded[] = []
  #first = 0

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#entries.length - this.#first
  }

  get first(): Encoded | undefined {
    return this.#entries[this.#first]
  }

  add(entry: Encoded): void {
    this.#entries.push(entry)
    this.bytes += sizeOf(entry)
    while (this.bytes > this.#most && this.size > 0) {
      this.take()
      this.dropped++
    }
  }

  take(): Encoded {
    const entry = this.#entries[this.#first++]!
    this.bytes -= sizeOf(entry)
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
    return entry
  }

  /** They were taken, and not sent: they are the oldest. */
  putBack(entries: readonly Encoded[]): void {
    this.#entries = [...entries, ...this.#entries.slice(this.#first)]
    this.#first = 0
    for (const entry of entries) this.bytes += sizeOf(entry)
  }
}

const sizeOf = ({ bytes }: Encoded): number => bytes.length + ENTRY_BYTES
