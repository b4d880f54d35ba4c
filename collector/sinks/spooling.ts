/** To disk: what a sink has not stored soon, so that its probe need not keep it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Backlog } from './backlog.ts'
import type { Entry, Waiting } from './waiting.ts'

/** A request that is stored sooner is never on disk. */
const AFTER_MS = 1000
const EVERY_MS = 250

export class Spooling {
  readonly #backlog: Backlog
  readonly #waiting: Waiting
  readonly #placed: (entry: Entry) => void
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #closed = false

  /**
   * @param placed called for each that is on disk from now on
   * @param now milliseconds that only rise
   */
  constructor(backlog: Backlog, waiting: Waiting, placed: (entry: Entry) => void, now: () => number) {
    this.#backlog = backlog
    this.#waiting = waiting
    this.#placed = placed
    this.#now = now
  }

  /** A batch has come. */
  watch(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#working = this.#spool(this.#now() - AFTER_MS).then(() => {
        if (this.#waiting.unspooled.batches > 0) this.watch()
      })
    }, EVERY_MS)
    this.#timer.unref()
  }

  /** Everything, now. */
  async all(): Promise<void> {
    await this.#working
    await this.#spool(this.#now())
  }

  /** No batch goes to disk by itself any more. */
  async stop(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#working
  }

  async #spool(before: number): Promise<void> {
    for (;;) {
      const old = this.#waiting.olderThan(before)
      if (old.length === 0) return
      for (const entry of old) entry.isSpooling = true
      const batches = old.map(({ batch }) => batch)
      const isTaken = await this.#backlog.append(batches, (at, serial) => this.#place(old[at]!, serial))
      for (const entry of old) entry.isSpooling = false
      if (!isTaken) return
      await sleep(0)
    }
  }

  /** @returns whether it stays in memory */
  #place(entry: Entry, serial: number): boolean {
    if (!this.#waiting.has(entry)) {
      this.#backlog.settle(serial) // it was stored meanwhile
      return false
    }
    entry.serial = serial
    this.#placed(entry)
    entry.done(true)
    if (entry.isWriting) return true
    this.#waiting.remove(entry)
    return false
  }
}
