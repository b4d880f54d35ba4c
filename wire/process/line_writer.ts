/** Lines to where writing may be refused: what has no room waits in a bounded buffer, what does not fit is dropped and counted. */

const MAX_WAITING_BYTES = 256 * 1024
const RETRY_MS = 100
/** At the end, for a reader that is slow. */
const LINGER_MS = 500
const PAUSE_MS = 10

/** Writes some of the bytes. @returns how many @throws EAGAIN when there is no room now, others when there never will be */
export type Write = (bytes: Buffer) => number

interface Line {
  readonly bytes: Buffer
  /** Of a note: the lines that it stands for. */
  readonly dropped: number
}

export class LineWriter {
  /** Lines that were given up. */
  dropped = 0
  /** The line that tells a reader how many are missing. */
  note = (dropped: number): string => `${dropped} lines were dropped: nobody took them\n`
  readonly #write: Write
  readonly #waiting: Line[] = []
  #bytes = 0
  /** Of the first line that waits. */
  #written = 0
  /** Dropped since the last note. */
  #untold = 0
  /** A line was broken off: the next one begins on a line of its own. */
  #isTorn = false
  #timer: NodeJS.Timeout | undefined

  constructor(write: Write) {
    this.#write = write
  }

  /** Never waits, never throws. */
  write(text: string): void {
    if (this.#waiting.length === 0) this.#tell()
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
    this.#untold += lines
  }

  #tell(): void {
    if (this.#untold === 0) return
    this.#push(Buffer.from(`${this.#isTorn ? '\n' : ''}${this.note(this.#untold)}`), this.#untold)
    this.#untold = 0
    this.#isTorn = false
  }

  #flush(): void {
    for (let line = this.#waiting[0]; line; line = this.#waiting[0]) {
      const left = line.bytes.subarray(this.#written)
      const written = this.#some(left)
      if (written === undefined) {
        if (line.dropped > 0) this.#untold += line.dropped
        else this.#drop(1)
        this.#isTorn ||= this.#written > 0
      } else if (written < left.length) {
        this.#written += written
        break
      }
      this.#waiting.shift()
      this.#bytes -= line.bytes.length
      this.#written = 0
      // there was room just now, so there is room for the note
      if (written !== undefined && this.#waiting.length === 0) this.#tell()
    }
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#retry(), RETRY_MS).unref()
  }

  #retry(): void {
    this.#timer = undefined
    this.#flush()
  }

  /** @returns undefined when it will never be written: no space, no reader, no terminal */
  #some(bytes: Buffer): number | undefined {
    try {
      return this.#write(bytes)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined
    }
  }
}
