/** Answers to the probes: which windows the sinks have settled, and which they have dropped. One at a time, as the transports require. */

import { encodeAck, encodeRefused } from '../../wire/ack.ts'
import { BoundedMap } from '../../wire/bounded_map.ts'
import { runOf, type WindowKey } from '../../wire/message.ts'
import type { Settled } from '../settled.ts'
import type { Route, Transport } from './link/transport.ts'

/** Pending answers, and probes that are remembered; a probe that misses an answer sends its window again. */
const MAX_WAITING = 65_536
const MAX_PROBES = 16_384
/** Windows that were dropped and are remembered, so that none of them is called stored when it is sent again. */
const MAX_DROPPED = 65_536

export class Acknowledger {
  readonly #transport: Pick<Transport, 'send'>
  /** The connection that each run was last heard on: the one that brought its window may be closed. */
  readonly #routes = new BoundedMap<string, { readonly route: Route; readonly version: number }>(MAX_PROBES)
  /** Connections that have been answered that they are refused. */
  readonly #refused = new BoundedMap<string, true>(MAX_PROBES)
  /** Windows that the sinks have not settled yet. */
  readonly #unsettled = new Set<string>()
  readonly #dropped = new BoundedMap<string, true>(MAX_DROPPED)
  #waiting: { route: Route; frames: Buffer[] }[] = []
  #working: Promise<void> | undefined

  constructor(transport: Pick<Transport, 'send'>) {
    this.#transport = transport
  }

  /**
   * A message of this run came by this route.
   * @param version of the wire that it is in
   */
  seen(key: WindowKey, route: Route, version: number): void {
    this.#routes.set(runOf(key), { route, version })
  }

  /** The window is on its way to the sinks. Call the result when they have settled it. */
  expect(key: WindowKey): Settled {
    const window = `${runOf(key)} ${key.window}`
    this.#unsettled.add(window)
    return (isKept = true) => {
      this.#unsettled.delete(window)
      if (!isKept) this.#dropped.set(window, true)
      this.#answer(key)
    }
  }

  /** The probe has sent the end of this window again. */
  repeat(key: WindowKey): void {
    if (!this.#unsettled.has(`${runOf(key)} ${key.window}`)) this.#answer(key)
  }

  /** A message of another version came by this route: it is answered once with the version that we speak. */
  refuse(route: Route): void {
    const id = route.toString('latin1')
    if (this.#refused.has(id)) return
    this.#refused.set(id, true)
    this.#send(route, encodeRefused())
  }

  /** Something else than an acknowledgement. */
  say(route: Route, frames: Buffer[]): void {
    this.#send(route, frames)
  }

  #answer(key: WindowKey): void {
    const last = this.#routes.peek(runOf(key))
    const isKept = !this.#dropped.has(`${runOf(key)} ${key.window}`)
    if (last) this.#send(last.route, encodeAck(key, last.version, isKept))
  }

  #send(route: Route, frames: Buffer[]): void {
    if (this.#waiting.length >= MAX_WAITING) return
    this.#waiting.push({ route, frames })
    this.#working ??= this.#work()
  }

  /** Resolves when the transport has taken all answers. */
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
