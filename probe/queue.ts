/** Messages on their way to one collector, kept until their window is acknowledged, bounded by bytes. */

import type { WindowKey } from './wire/message.ts'

export interface Queued {
  readonly window: number
  readonly frames: Buffer[]
}

interface Entry extends Queued {
  readonly bytes: number
}

const bytesOf = (frames: readonly Buffer[]): number => frames.reduce((sum, frame) => sum + frame.length, 0)

export class Queue {
  /** Messages given up because the queue was full, oldest first. */
  dropped = 0
  bytes = 0
  readonly #maxBytes: number
  #entries: Entry[] = []
  /** The entry to send next. */
  #cursor = 0
  /** The newest window that lost a message, and whether this connection had sent what it lost. */
  #torn = { window: -1, sent: true }

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#entries.length
  }

  push(message: Queued): void {
    const bytes = bytesOf(message.frames)
    this.#entries.push({ ...message, bytes })
    this.bytes += bytes
    let drop = 0
    while (this.bytes > this.#maxBytes && drop < this.#entries.length - 1)
      this.bytes -= this.#entries[drop++]!.bytes
    if (drop === 0) return
    const { window } = this.#entries[drop - 1]!
    const sent = drop <= this.#cursor && (window !== this.#torn.window || this.#torn.sent)
    this.#torn = { window, sent }
    this.#entries.splice(0, drop)
    this.#cursor = Math.max(0, this.#cursor - drop)
    this.dropped += drop
  }

  /** The next message to send, if there is one. What is left of a torn window is dropped: half of it would be a lie. */
  next(): Queued | undefined {
    for (;;) {
      const entry = this.#entries[this.#cursor]
      if (!entry) return undefined
      if (entry.window !== this.#torn.window || this.#torn.sent) {
        this.#cursor++
        return entry
      }
      this.#entries.splice(this.#cursor, 1)
      this.bytes -= entry.bytes
      this.dropped++
    }
  }

  /** A new connection: everything not acknowledged goes out once more. The receiver drops what it has by sequence. */
  rewind(): void {
    this.#cursor = 0
    this.#torn.sent = false
  }

  /** The collector holds this window. */
  acknowledge({ window }: Pick<WindowKey, 'window'>): void {
    let before = 0
    const kept: Entry[] = []
    for (const [index, entry] of this.#entries.entries()) {
      if (entry.window !== window) kept.push(entry)
      else {
        this.bytes -= entry.bytes
        if (index < this.#cursor) before++
      }
    }
    this.#entries = kept
    this.#cursor -= before
  }
}
