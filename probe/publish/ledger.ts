/**
 * What became of the windows of one queue, in windows and rows: produced = stored + lost + waiting, at every moment.
 *
 * A window is stored when a collector has acknowledged it, and lost when no collector can hold all of it. A window that
 * was sent whole and left the queue for want of room is neither yet: its acknowledgement may be on its way. It waits
 * until that comes, or until a window so much newer is acknowledged that it will not.
 */

export interface Amount {
  windows: number
  rows: number
}

/** Why a window is lost. */
export const REASONS = [
  'full', // the queue was full
  'stopped', // the probe stopped before it was acknowledged
  'killed', // the probe before this one was killed while the window was in its memory
  'spool_full', // the spool was full
  'spool_old', // it waited for too long in the spool
  'spool_damaged', // its file was cut, scrambled or removed
  'collector_full', // the collector had no room for it
  'renamed', // it waited in the spool, and the host has another name now: a probe speaks for one host
] as const
export type Reason = (typeof REASONS)[number]

/** Of one queue, or of several added up. */
export interface Accounts {
  readonly produced: Amount
  readonly stored: Amount
  readonly lost: Readonly<Record<Reason, Amount>>
  readonly waiting: Amount
}

type Fate = 'stored' | Reason

interface Open {
  rows: number
  /** All of it went out on one connection, so that a collector may have it. */
  isSent: boolean
  /** Messages of it are gone, for this reason. */
  dropped: Reason | undefined
}

/**
 * A collector acknowledges in order, but for windows that wait for a name, and those of several sinks: nothing comes so
 * many windows late.
 */
const LATE_WINDOWS = 4
/** Dropped windows whose acknowledgement may still come; of more, the oldest are lost. */
const MAX_DOUBTFUL = 1024

const none = (): Amount => ({ windows: 0, rows: 0 })

/** An account for each reason. */
export const perReason = (of: (reason: Reason) => Amount): Record<Reason, Amount> =>
  Object.fromEntries(REASONS.map(reason => [reason, of(reason)])) as Record<Reason, Amount>

export class Ledger {
  readonly produced = none()
  readonly stored = none()
  readonly lost: Readonly<Record<Reason, Amount>> = perReason(none)
  /** Neither stored nor lost, oldest first. */
  readonly #open = new Map<number, Open>()
  /** Of these, dropped and sent. */
  readonly #doubtful = new Set<number>()
  #newest = Number.NEGATIVE_INFINITY
  /** Of the newest window, once it is not open any more: rows may still come. */
  #fate: Fate | undefined

  /** Counted one by one, not from the others. */
  get waiting(): Amount {
    const waiting = none()
    for (const { rows } of this.#open.values()) {
      waiting.windows++
      waiting.rows += rows
    }
    return waiting
  }

  /** Windows that were sent and dropped, and may still be acknowledged: part of what waits. */
  get doubtful(): number {
    return this.#doubtful.size
  }

  get accounts(): Accounts {
    const { produced, stored, lost, waiting } = this
    return { produced, stored, lost, waiting }
  }

  /** A message with so many rows. Windows come in order. */
  push(window: number, rows: number): void {
    if (window > this.#newest) {
      this.#newest = window
      this.#fate = undefined
      this.#open.set(window, { rows: 0, isSent: false, dropped: undefined })
      this.produced.windows++
    }
    this.produced.rows += rows
    const open = this.#open.get(window)
    if (open) open.rows += rows
    else if (this.#fate) this.#account(this.#fate).rows += rows
  }

  /** The end of this window went out, after all that was before it, on one connection. */
  sent(window: number): void {
    const open = this.#open.get(window)
    if (!open) return
    open.isSent = true
    if (open.dropped) this.#doubt(window)
  }

  acknowledged(window: number, fate: Fate = 'stored'): void {
    if (window > this.#newest) return
    this.#close(window, fate)
    for (const doubtful of this.#doubtful) {
      if (doubtful + LATE_WINDOWS > window) break
      this.#close(doubtful)
    }
  }

  /**
   * Messages of this window are gone.
   * @param goesOn they were sent on this connection, and the rest of the window goes out on it, too
   */
  dropped(window: number, goesOn: boolean, reason: Reason = 'full'): void {
    const open = this.#open.get(window)
    if (!open) return
    open.dropped ??= reason
    if (open.isSent) this.#doubt(window)
    else if (!goesOn) this.#close(window)
  }

  /** Windows and rows that were there before this run, and are not any more: produced, and lost. */
  missed({ windows, rows }: Amount, reason: Reason): void {
    for (const account of [this.produced, this.lost[reason]]) {
      account.windows += windows
      account.rows += rows
    }
  }

  /** The connection is gone: what it had of this window is not followed by the rest. */
  torn(window: number): void {
    if (this.#open.get(window)?.isSent === false) this.#close(window)
  }

  /**
   * No acknowledgement counts any more.
   * @param isKept it waits for the next run
   */
  stop(isKept: (window: number) => boolean = () => false): void {
    for (const [window, { dropped }] of this.#open)
      if (dropped || !isKept(window)) this.#close(window, dropped ?? 'stopped')
  }

  #doubt(window: number): void {
    this.#doubtful.add(window)
    const [oldest] = this.#doubtful
    if (this.#doubtful.size > MAX_DOUBTFUL) this.#close(oldest!)
  }

  #close(window: number, given?: Fate): void {
    const open = this.#open.get(window)
    if (!open) return
    const fate = given ?? open.dropped ?? 'full'
    this.#open.delete(window)
    this.#doubtful.delete(window)
    const account = this.#account(fate)
    account.windows++
    account.rows += open.rows
    if (window === this.#newest) this.#fate = fate
  }

  #account(fate: Fate): Amount {
    return fate === 'stored' ? this.stored : this.lost[fate]
  }
}

/** The accounts of several queues, added up. */
export function summed(ledgers: readonly Accounts[]): Accounts {
  const sum = (of: (accounts: Accounts) => Amount): Amount => ({
    windows: ledgers.reduce((total, accounts) => total + of(accounts).windows, 0),
    rows: ledgers.reduce((total, accounts) => total + of(accounts).rows, 0),
  })
  return {
    produced: sum(({ produced }) => produced),
    stored: sum(({ stored }) => stored),
    lost: perReason(reason => sum(({ lost }) => lost[reason])),
    waiting: sum(({ waiting }) => waiting),
  }
}
