/** Messages on their way to a collector, kept until their window is acknowledged, bounded by bytes. */

import { type Identity, type Losses, runOf, type WindowKey } from '../../wire/message.ts'
import { Ledger } from './ledger.ts'

export interface Queued {
  readonly window: number
  /** Counted from 0 over the run. */
  readonly sequence: number
  readonly frames: Buffer[]
  readonly rows: number
  /** The last message of its window. */
  readonly isEnd: boolean
  /** What the probe had lost until then. */
  readonly lost: Losses
  /** Called once, when nothing reads the frames any more: acknowledged at the first attempt, or never sent. */
  readonly release?: () => void
}

/** Up to where collectors have stored everything. */
export interface Settled {
  /** The first window that may be missing. */
  readonly window: number
  /** Of its first message. */
  readonly sequence: number
  /** The losses that the windows before it carried. */
  readonly lost: Losses
}

interface Entry extends Queued {
  readonly bytes: number
  attempts: number
}

const bytesOf = (frames: readonly Buffer[]): number => frames.reduce((sum, frame) => sum + frame.length, 0)

export class Queue {
  /** Messages dropped because the queue was full, oldest first; of some the window is acknowledged later. */
  dropped = 0
  /** What became of all that was pushed. */
  readonly ledger = new Ledger()
  bytes = 0
  maxBytes: number
  settled: Settled = { window: 0, sequence: 0, lost: {} }
  readonly #run: string
  #entries: Entry[] = []
  /** The entry to send next. */
  #cursor = 0
  /** The newest window that lost a message, and whether that message was sent on this connection. */
  #torn = { window: -1, sent: true }
  /** Windows that are acknowledged, but not all before them are. */
  readonly #acknowledged = new Set<number>()

  /** @param run of the probe, whose windows are queued here */
  constructor(maxBytes: number, run: Pick<Identity, 'boot' | 'probe'>) {
    this.maxBytes = maxBytes
    this.#run = runOf(run)
  }

  get length(): number {
    return this.#entries.length
  }

  /** The oldest window that waits. */
  get oldest(): number | undefined {
    return this.#entries[0]?.window
  }

  push(message: Queued): void {
    const bytes = bytesOf(message.frames)
    this.ledger.push(message.window, message.rows)
    this.#entries.push({ ...message, bytes, attempts: 0 })
    this.bytes += bytes
    let drop = 0
    let left = this.bytes
    while (left > this.maxBytes && drop < this.#entries.length - 1) left -= this.#entries[drop++]!.bytes
    if (drop === 0) return
    const { window } = this.#entries[drop - 1]!
    const sent = drop <= this.#cursor && (window !== this.#torn.window || this.#torn.sent)
    this.#torn = { window, sent }
    const gone = this.#remove(drop)
    for (const { attempts, release } of gone) if (attempts === 0) release?.()
    this.dropped += gone.filter(({ window }) => !this.#acknowledged.has(window)).length
    for (const dropped of new Set(gone.map(({ window }) => window)))
      this.ledger.dropped(dropped, sent && dropped === window)
    this.#release()
  }

  /**
   * The next message to send, if there is one. The rest of a torn window is dropped: half a window has wrong numbers.
   * @param last nothing of later windows
   */
  next(last = Number.POSITIVE_INFINITY): Queued | undefined {
    for (;;) {
      const entry = this.#entries[this.#cursor]
      if (!entry || entry.window > last) return undefined
      if (entry.window !== this.#torn.window || this.#torn.sent) {
        this.#cursor++
        entry.attempts++
        if (entry.isEnd) this.ledger.sent(entry.window)
        return entry
      }
      this.#entries.splice(this.#cursor, 1)
      if (entry.attempts === 0) entry.release?.()
      this.bytes -= entry.bytes
      this.dropped++
      this.#release()
    }
  }

  /** A new connection: everything that is kept is sent again. The receiver drops what it has by sequence. */
  rewind(): void {
    this.#cursor = 0
    this.#torn.sent = false
    this.ledger.torn(this.#torn.window)
    this.#acknowledged.clear() // it may be another collector
  }

  /** Whether it is a window of the run that is queued here. */
  isOfRun(key: WindowKey): boolean {
    return runOf(key) === this.#run
  }

  /**
   * The collector has stored this window. It is kept until all windows before it are stored: another collector must
   * not get holes. Windows of other runs are ignored.
   */
  acknowledge(key: WindowKey): void {
    const { window } = key
    if (!this.isOfRun(key)) return
    this.ledger.acknowledged(window)
    if (!this.#entries.some(entry => entry.window === window)) return
    this.#acknowledged.add(window)
    this.#release()
  }

  #release(): void {
    let held = 0
    while (held < this.#entries.length && this.#acknowledged.has(this.#entries[held]!.window)) held++
    const gone = this.#remove(held)
    // a closed connection may still read what was sent on it
    for (const { attempts, release } of gone) if (attempts === 1) release?.()
    const last = gone.at(-1)
    if (last) this.settled = { window: last.window + 1, sequence: last.sequence + 1, lost: last.lost }
    const oldest = this.oldest ?? Number.POSITIVE_INFINITY
    for (const window of this.#acknowledged) if (window < oldest) this.#acknowledged.delete(window)
  }

  #remove(count: number): Entry[] {
    const removed = this.#entries.splice(0, count)
    this.bytes -= removed.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#cursor = Math.max(0, this.#cursor - count)
    return removed
  }
}
