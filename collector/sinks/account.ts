/** What became of the batches of one sink: produced = stored + refused + lost + waiting, in batches and in samples. */

export interface Amount {
  batches: number
  samples: number
}

/** What is settled. */
export interface Settlement {
  readonly stored: Amount
  /** By the sink, for good. */
  readonly refused: Amount
  /** By reason: `dropped`, `spool_full`, `spool_old`, `spool_damaged`. */
  readonly lost: Readonly<Record<string, Amount>>
}

export interface Accounts extends Settlement {
  readonly produced: Amount
  /** In memory and on disk. */
  readonly waiting: Amount
}

export const none = (): Amount => ({ batches: 0, samples: 0 })

export function add(sum: Amount, { batches, samples }: Readonly<Amount>): void {
  sum.batches += batches
  sum.samples += samples
}

/** All but what waits, which is counted where it is. */
export class Account implements Settlement {
  readonly produced = none()
  readonly stored = none()
  readonly refused = none()
  readonly lost: Record<string, Amount> = {}

  /** @param before what the processes before have settled */
  constructor(before?: Settlement) {
    if (!before) return
    const { stored, refused, lost } = before
    add(this.stored, stored)
    add(this.refused, refused)
    for (const [reason, amount] of Object.entries(lost)) this.lose(reason, amount)
    for (const amount of [stored, refused, ...Object.values(lost)]) add(this.produced, amount)
  }

  lose(reason: string, amount: Readonly<Amount>): void {
    const sum = this.lost[reason] ?? none()
    this.lost[reason] = sum
    add(sum, amount)
  }

  /** A batch of which the sink has refused some samples, or all of them. */
  settle(samples: number, refused: number): void {
    const isStored = samples > refused || refused === 0
    add(this.stored, { batches: isStored ? 1 : 0, samples: samples - refused })
    add(this.refused, { batches: isStored ? 0 : 1, samples: refused })
  }
}
