/** Messages of the queue, put together to windows: a window is published as a whole. */

import { SETTLED, WINDOW, type WindowHead, type WindowKey } from '../../../../wire/message.ts'
import { pack } from '../../../../wire/nats/window.ts'
import { topicOf } from '../../../../wire/version.ts'

export interface Window {
  readonly key: WindowKey
  /** Its label, seconds since the epoch. */
  readonly time: number
  /** Seconds. */
  readonly interval: number
  /** As they are in the stream. */
  readonly messages: readonly Buffer[]
}

export class Assembly {
  #messages: Buffer[] = []
  #window = ''

  /** A new connection: everything is sent again. */
  clear(): void {
    this.#messages = []
  }

  /** @returns the window that ended with this message */
  add(frames: readonly Buffer[]): Window | undefined {
    const { topic } = topicOf(frames[0])
    // it tells a collector what another one has: here all take from one stream
    if (topic === SETTLED) return undefined
    const { host, boot, probe, window, time, interval } = JSON.parse(frames[1]!.toString()) as WindowHead
    const id = `${boot} ${probe} ${window}`
    if (id !== this.#window) this.#messages = [] // its end was dropped: half a window has wrong numbers
    this.#window = id
    this.#messages.push(pack(frames))
    if (topic !== WINDOW) return undefined
    const messages = this.#messages
    this.#messages = []
    return { key: { host, boot, probe, window }, time, interval, messages }
  }
}
