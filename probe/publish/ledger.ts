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

/** Why a window is lost: the queue was full, or the probe stopped before it was acknowledged. */
export type Reason = 'full' | 'stopped'

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
  /** Messages of it left the queue for want of room. */
  isDropped: boolean
}

/**
 * A collector acknowledges in order, but for windows that wait for a name, and those of several sinks: nothing comes so
 * many windows late.
 */
const LATE_WINDOWS = 4
/** Dropped windows whose acknowledgement may still come; of more, the oldest are lost. */
const MAX_DOUBTFUL = 1024

const none = (): Amount => ({ windows: 0, rows: 0 })

export class Ledger {
  readonly produced = none()
  readonly stored = none()
  readonly lost: Readonly<Record<Reason, Amount>> = { full: none(), stopped: none() }
  /** Neither stored nor lost, oldest first. */
  readonly #open = new Map<number, Open>()
  /** Of these, dropped and sent. */
  readonly #doubtful = new Set<number>()
  #newest = -1
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
      this.#open.set(window, { rows: 0, isSent: false, isDropped: false })
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
    if (open.isDropped) this.#doubt(window)
  }

  acknowledged(window: number): void {
    if (window > this.#newest) return
    this.#close(window, 'stored')
    for (const doubtful of this.#doubtful) {
      if (doubtful + LATE_WINDOWS > window) break
      this.#close(doubtful, 'full')
    }
  }

  /**
   * Messages of this window left the queue for want of room.
   * @param goesOn they were sent on this connection, and the rest of the window goes out on it, too
   */
  dropped(window: number, goesOn: boolean): void {
    const open = this.#open.get(window)
    if (!open) return
    open.isDropped = true
    if (open.isSent) this.#doubt(window)
    else if (!goesOn) this.#close(window, 'full')
  }

  /** The connection is gone: what it had of this window is not followed by the rest. */
  torn(window: number): void {
    if (this.#open.get(window)?.isSent === false) this.#close(window, 'full')
  }

  /** No acknowledgement counts any more. */
  stop(): void {
    for (const [window, { isDropped }] of this.#open) this.#close(window, isDropped ? 'full' : 'stopped')
  }

  #doubt(window: number): void {
    this.#doubtful.add(window)
    const [oldest] = this.#doubtful
    if (this.#doubtful.size > MAX_DOUBTFUL) this.#close(oldest!, 'full')
  }

  #close(window: number, fate: Fate): void {
    const open = this.#open.get(window)
    if (!open) return
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
    lost: { full: sum(({ lost }) => lost.full), stopped: sum(({ lost }) => lost.stopped) },
    waiting: sum(({ waiting }) => waiting),
  }
}
