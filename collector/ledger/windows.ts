/** What became of the windows of one host: produced = stored + refused + lost + waiting, in windows and in rows. */

import type { Folded } from '../ingest/folded.ts'

export interface Amount {
  windows: number
  rows: number
}

/** Never came, or came and was dropped. */
export const REASONS = ['missing', 'dropped'] as const
type Reason = (typeof REASONS)[number]

/** What is settled. */
export interface Settlement {
  /** By every sink: it has stored them, has them on disk, or has refused them for good. */
  readonly stored: Amount
  /** Not to be stored: the first and the last window of a run, those whose time cannot be true. */
  readonly refused: Amount
  readonly lost: Readonly<Record<Reason, Amount>>
}

export interface Accounts extends Settlement {
  /** As far as the collector has heard of them. */
  readonly produced: Amount
  readonly waiting: Amount
}

const none = (): Amount => ({ windows: 0, rows: 0 })

function add(sum: Amount, { windows, rows }: Readonly<Amount>, sign: 1 | -1 = 1): void {
  sum.windows += sign * windows
  sum.rows += sign * rows
}

/** Rows that came of this window, and that did not. */
export function rowsOf({ fold, made }: Folded): { came: number; missing: number } {
  const came = fold.rows + fold.unread
  return { came, missing: Math.max(0, (made ?? came) - came) }
}

export class WindowAccount implements Accounts {
  readonly produced = none()
  readonly stored = none()
  readonly refused = none()
  readonly lost = { missing: none(), dropped: none() }
  readonly waiting = none()

  /** What the processes before have settled: what waited in their memory comes again. */
  restore({ stored, refused, lost }: Settlement): void {
    add(this.stored, stored)
    add(this.refused, refused)
    for (const reason of REASONS) add(this.lost[reason], lost[reason])
    for (const amount of [stored, refused, lost.missing, lost.dropped]) add(this.produced, amount)
  }

  /** This window has ended. @returns to be called when it is settled */
  ended(window: Folded): (isKept: boolean) => void {
    const { came, missing } = rowsOf(window)
    const unseen = { windows: window.missed ?? 0, rows: missing }
    const amount = { windows: 1, rows: came }
    add(this.produced, unseen)
    add(this.lost.missing, unseen)
    add(this.produced, amount)
    if (window.partial) {
      add(this.refused, amount)
      return () => {}
    }
    add(this.waiting, amount)
    return isKept => {
      add(this.waiting, amount, -1)
      add(isKept ? this.stored : this.lost.dropped, amount)
    }
  }
}
