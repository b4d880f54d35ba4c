/** What became of the batches of one sink: produced = stored + refused + lost + waiting, in batches and in samples. */

export interface Amount {
  batches: number
  samples: number
}

export const none = (): Amount => ({ batches: 0, samples: 0 })

export function add(sum: Amount, { batches, samples }: Readonly<Amount>): void {
  sum.batches += batches
  sum.samples += samples
}

/** All but what waits, which is counted where it is. */
export class Account {
  readonly produced = none()
  readonly stored = none()
  readonly refused = none()
  /** By reason: `dropped`, `spool_full`, `spool_old`, `spool_damaged`. */
  readonly lost: Record<string, Amount> = {}
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
