/** The heads of messages and of the end of a window. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Head, Losses, WindowHead, WindowKey } from '../wire/message.ts'
import type { Window } from './read/window.ts'

/** Of this run of the probe. */
export type Identity = Pick<WindowKey, 'host' | 'boot' | 'probe'>

export const identityOf = (host = hostname()): Identity => ({
  host,
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  probe: randomBytes(8).toString('hex'),
})

export class Heads {
  readonly #identity: Identity
  readonly #interval: number
  readonly #lost: () => Losses
  #sequence = 0

  constructor(identity: Identity, interval: number, lost: () => Losses) {
    this.#identity = identity
    this.#interval = interval
    this.#lost = lost
  }

  of(window: Window): Head {
    return {
      ...this.#identity,
      window: window.index,
      sequence: this.#sequence++,
      start_ns: String(window.startNs),
      lost: this.#lost(),
    }
  }

  end(window: Window): WindowHead {
    return {
      ...this.of(window),
      end_ns: String(window.endNs),
      time: window.time,
      interval: this.#interval,
      clock_offset_ns: String(window.clockOffsetNs),
      partial: window.partial,
    }
  }
}
