/** Writes lines to a file that may refuse them. Refused lines wait in a bounded buffer; lines beyond it are dropped and counted. */

const MAX_WAITING_BYTES = 256 * 1024
const RETRY_MS = 100
/** Time for a slow reader at the end. */
const LINGER_MS = 500
const PAUSE_MS = 10

/** Writes some of the bytes. @returns their number @throws EAGAIN if there is no room now, other errors if there never will be */
export type Write = (bytes: Buffer) => number

interface Line {
  readonly bytes: Buffer
  /** In a note: the number of dropped lines it reports. */
  readonly dropped: number
}

export class LineWriter {
  /** Dropped lines. */
  dropped = 0
  /** The line that reports the number of missing lines. */
  note = (dropped: number): string => `${dropped} lines were dropped: nothing read them\n`
  readonly #write: Write
  readonly #waiting: Line[] = []
  #bytes = 0
  /** Bytes written of the first line that waits. */
  #written = 0
  /** Dropped since the last note. */
  #unreported = 0
  /** A line was cut: the next one begins on a new line. */
  #isTorn = false
  #timer: NodeJS.Timeout | undefined

  constructor(write: Write) {
    this.#write = write
  }

  /** Never waits, never throws. */
  write(text: string): void {
    if (this.#waiting.length === 0) this.#report()
    const bytes = Buffer.from(text)
    if (this.#bytes > 0 && this.#bytes + bytes.length > MAX_WAITING_BYTES) this.#drop(1)
    else this.#push(bytes, 0)
    this.#flush()
  }

  /** Waits a moment for a reader of the last lines. */
  close(): void {
    const until = performance.now() + LINGER_MS
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (this.#flush(); this.#waiting.length > 0 && performance.now() < until; this.#flush())
      Atomics.wait(pause, 0, 0, PAUSE_MS)
    clearTimeout(this.#timer)
  }

  #push(bytes: Buffer, dropped: number): void {
    this.#waiting.push({ bytes, dropped })
    this.#bytes += bytes.length
  }

  #drop(lines: number): void {
    this.dropped += lines
    this.#unreported += lines
  }

  #report(): void {
    if (this.#unreported === 0) return
    this.#push(Buffer.from(`${this.#isTorn ? '\n' : ''}${this.note(this.#unreported)}`), this.#unreported)
    this.#unreported = 0
    this.#isTorn = false
  }

  #flush(): void {
    for (let line = this.#waiting[0]; line; line = this.#waiting[0]) {
      const left = line.bytes.subarray(this.#written)
      const written = this.#some(left)
      if (written === undefined) {
        if (line.dropped > 0) this.#unreported += line.dropped
        else this.#drop(1)
        this.#isTorn ||= this.#written > 0
      } else if (written < left.length) {
        this.#written += written
        break
      }
      this.#waiting.shift()
      this.#bytes -= line.bytes.length
      this.#written = 0
      // there was room for a line, so there is room for the note
      if (written !== undefined && this.#waiting.length === 0) this.#report()
    }
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#retry(), RETRY_MS).unref()
  }

  #retry(): void {
    this.#timer = undefined
    this.#flush()
  }

  /** @returns undefined if the line can never be written: no space, no reader, no terminal */
  #some(bytes: Buffer): number | undefined {
    try {
      return this.#write(bytes)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined
    }
  }
}
