/**
 * The counters last sent for each flow: sixteen numbers, at the same index as the flow's row in the flow table. It grows with that
 * table; an entry is cleared when its flow is dropped.
 */

import type { Carried } from '../../flows/conversation.ts'

const COLUMNS = 16
const FIRST_ROWS = 1024

/** Of the flow's conversation, the same at both ends, as either may be alone later: seconds since the epoch, and what its records had. */
export const TOLD = {
  /** Label of the first window that had it. */
  BEGAN: 0,
  /** Label of the last window in which it carried something: its last packet, as far as windows tell. */
  MOVED: 1,
  /** Label of the window of its last record; 0: none. */
  RECORDED: 2,
  /** MOVED of the record that said it was idle. */
  IDLE: 3,
  /** When what its last record told had ended. */
  END: 4,
  /** Bytes, packets, and those of the other direction, of the conversation as it was told. */
  CARRIED: 5,
  /** The same as this flow's own node counts them. */
  OWN: 9,
  /** Who may tell of its other end, and is waited for: as `AtEnd.awaited`. */
  AWAITED: 13,
} as const

const FIELDS = ['bytes', 'packets', 'revBytes', 'revPackets'] as const satisfies (keyof Carried)[]
/** Columns that belong to the conversation and not to this end. */
const OF_CONVERSATION = [TOLD.RECORDED, TOLD.IDLE, TOLD.END, 5, 6, 7, 8]

export class Told {
  #numbers = new Float64Array(FIRST_ROWS * COLUMNS)

  get bytes(): number {
    return this.#numbers.byteLength
  }

  get(flow: number, column: number): number {
    return this.#numbers[flow * COLUMNS + column] ?? 0
  }

  set(flow: number, column: number, value: number): void {
    while ((flow + 1) * COLUMNS > this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers[flow * COLUMNS + column] = value
  }

  /** The lead of a conversation changes when its client is found: what was told of it goes with it. */
  inherit(lead: number, other: number): void {
    if (this.get(lead, TOLD.RECORDED) !== 0 || this.get(other, TOLD.RECORDED) === 0) return
    for (const column of OF_CONVERSATION) this.set(lead, column, this.get(other, column))
  }

  /** @param first CARRIED or OWN */
  keep(flow: number, first: number, carried: Carried): void {
    for (const [at, field] of FIELDS.entries()) this.set(flow, first + at, carried[field])
  }

  /** Each counter on its own, and never less than nothing. */
  since(flow: number, first: number, now: Carried): Carried {
    const since = (field: keyof Carried) =>
      Math.max(0, now[field] - this.get(flow, first + FIELDS.indexOf(field)))
    return {
      ...{ bytes: since('bytes'), packets: since('packets') },
      ...{ revBytes: since('revBytes'), revPackets: since('revPackets') },
    }
  }

  clear(flow: number): void {
    this.#numbers.fill(0, flow * COLUMNS, (flow + 1) * COLUMNS)
  }
}
