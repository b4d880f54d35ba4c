/** A larger buffer is not kept: it was for one burst. */
const MAX_BYTES = 4 * 2 ** 20

/** Records one after the other, in memory that is reused. */
export class Records {
  #room = Buffer.alloc(0)
  #spare = Buffer.alloc(0)
  #used = 0

  get length(): number {
    return this.#used
  }

  /** @param records copied */
  push(records: Buffer): void {
    const used = this.#used + records.length
    if (used > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(used, 2 * this.#room.length))
      this.#room.copy(room, 0, 0, this.#used)
      this.#room = room
    }
    records.copy(this.#room, this.#used)
    this.#used = used
  }

  /** All of them, valid until the next call: later records go to another buffer. */
  take(): Buffer {
    const taken = this.#room.subarray(0, this.#used)
    const room = this.#room
    this.#room = this.#spare
    this.#spare = room.length > MAX_BYTES ? Buffer.alloc(0) : room
    this.#used = 0
    return taken
  }
}
