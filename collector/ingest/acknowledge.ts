/** Answers to the probes: which windows the sinks hold. One at a time, as the socket wants it. */

import type { Router } from 'zeromq'
import { encodeAck, type WindowKey } from '../../wire/message.ts'

/** Answers that may wait, and probes remembered; one that misses an answer sends its window again. */
const MOST_WAITING = 65_536
const MOST_PROBES = 8192

const idOf = ({ boot, probe }: WindowKey): string => `${boot} ${probe}`

export class Acknowledger {
  readonly #router: Router
  /** The ZeroMQ identity of each probe's latest connection: that of its window may be gone. */
  readonly #routes = new Map<string, Buffer>()
  /** Windows that the sinks have not settled yet. */
  readonly #unsettled = new Set<string>()
  #waiting: Buffer[][] = []
  #working: Promise<void> | undefined

  constructor(router: Router) {
    this.#router = router
  }

  /** A message of this probe came by this route. */
  seen(key: WindowKey, route: Buffer): void {
    const id = idOf(key)
    this.#routes.delete(id)
    this.#routes.set(id, route)
    const [oldest] = this.#routes.keys()
    if (oldest !== undefined && this.#routes.size > MOST_PROBES) this.#routes.delete(oldest)
  }

  /** The window is on its way to the sinks. Call what comes back when they hold it. */
  expect(key: WindowKey): () => void {
    const window = `${idOf(key)} ${key.window}`
    this.#unsettled.add(window)
    return () => {
      this.#unsettled.delete(window)
      this.#answer(key)
    }
  }

  /** The probe asks about this window once more. */
  repeat(key: WindowKey): void {
    if (!this.#unsettled.has(`${idOf(key)} ${key.window}`)) this.#answer(key)
  }

  #answer(key: WindowKey): void {
    const route = this.#routes.get(idOf(key))
    if (!route || this.#waiting.length >= MOST_WAITING) return
    this.#waiting.push([route, ...encodeAck(key)])
    this.#working ??= this.#work()
  }

  /** All answers are the socket's. */
  async flush(): Promise<void> {
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      // a probe that has gone, or our own end: there is nobody to tell
      for (const frames of waiting) await this.#router.send(frames).catch(() => {})
    }
    this.#working = undefined
  }
}
