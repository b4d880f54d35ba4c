/**
 * The windows of several runs of this host in one row: those of this run have their own numbers, those of the runs before
 * come before them, below 0.
 */

import { type Identity, runOf, type WindowKey } from '../../../wire/message.ts'

interface Past {
  readonly identity: Identity
  /** Windows of it that are known. */
  readonly first: number
  readonly last: number
}

interface Placed extends Past {
  /** Of a window in the row, less its own number. */
  readonly offset: number
}

export class Runs {
  readonly #own: Identity
  #past: readonly Placed[] = []

  constructor(own: Identity) {
    this.#own = own
  }

  /** @param past the oldest first */
  place(past: readonly Past[]): void {
    let before = 0
    this.#past = past.toReversed().map(run => {
      const offset = before - 1 - run.last
      before = run.first + offset
      return { ...run, offset }
    })
  }

  /** The place of a window in the row; undefined for one of an unknown run, or one that it has not told of. */
  at(key: WindowKey): number | undefined {
    const run = runOf(key)
    if (run === runOf(this.#own)) return key.window
    const past = this.#past.find(({ identity }) => runOf(identity) === run)
    return past && key.window >= past.first && key.window <= past.last ? key.window + past.offset : undefined
  }

  /** The window at this place. */
  keyOf(place: number): WindowKey {
    const past = this.#past.find(({ offset, first, last }) => {
      return place >= first + offset && place <= last + offset
    })
    const { host, boot, probe } = past?.identity ?? this.#own
    return { host, boot, probe, window: place - (past?.offset ?? 0) }
  }
}
