/** Answers to the probes: which windows the sinks hold. One at a time, as transports want it. */

import { encodeAck, type WindowKey } from '../../wire/message.ts'
import type { Route, Transport } from './transport.ts'

/** Answers that may wait, and probes remembered; one that misses an answer sends its window again. */
const MOST_WAITING = 65_536
const MOST_PROBES = 8192

const idOf = ({ boot, probe }: WindowKey): string => `${boot} ${probe}`

export class Acknowledger {
  readonly #transport: Pick<Transport, 'send'>
  /** The connection that each run was last heard on: that of its window may be gone. */
  readonly #routes = new Map<string, Route>()
  /** Windows that the sinks have not settled yet. */
  readonly #unsettled = new Set<string>()
  #waiting: { route: Route; frames: Buffer[] }[] = []
  #working: Promise<void> | undefined

  constructor(transport: Pick<Transport, 'send'>) {
    this.#transport = transport
  }

  /** A message of this probe came by this route. */
  seen(key: WindowKey, route: Route): void {
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
    this.#waiting.push({ route, frames: encodeAck(key) })
    this.#working ??= this.#work()
  }

  /** All answers are the transport's. */
  async flush(): Promise<void> {
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const { route, frames } of waiting) await this.#transport.send(route, frames)
    }
    this.#working = undefined
  }
}
