/** The windows of one probe: their rows until they end, and what the probe has told. */

import { MAX_INTERVAL_S } from '../../wire/check.ts'
import type { Losses, SettledHead, WindowHead, WindowKey, WindowNames } from '../../wire/message.ts'
import { Fold } from '../fold/fold.ts'
import type { Folded } from './folded.ts'

/** Windows that may be open at once: the running one, the one whose end is on its way, and one that lost its end. */
const OPEN_WINDOWS = 3
/** A probe that was silent so long is gone; one with long windows, after three of them. */
const IDLE_MS = 10 * 60_000
const IDLE_WINDOWS = 3

export class ProbeWindows {
  /** Of its last message. */
  sequence = -1
  /** Of the last message before the windows that are open. */
  #settledSequence = -1
  /** The last window that was handed on. */
  closed = -1
  /** Highest losses the probe told, by stage and reason. */
  lost: Losses = {}
  /** Seconds; of the window that ended last, the longest before the first. */
  interval = MAX_INTERVAL_S
  seenMs = 0
  /** Windows whose end has come. */
  ended = 0
  readonly #open = new Map<number, Fold>()
  /** The window before which another collector had the probe; -1 when none had. */
  #movedAt = -1
  /** Of `lost` what a window has told already. */
  #told: Losses = {}
  readonly #withProcesses: () => boolean
  readonly #lose: (reason: string, count: number) => void

  /**
   * @param withProcesses whether a window that begins now is to total per process
   * @param lose counts what is not in a window that should be
   */
  constructor(withProcesses: () => boolean, lose: (reason: string, count: number) => void) {
    this.#withProcesses = withProcesses
    this.#lose = lose
  }

  /**
   * The next message has come, or one after it.
   * @returns false for one that has been here
   */
  advance(sequence: number): boolean {
    if (sequence <= this.sequence) return false
    if (this.sequence >= 0) this.#lose('gap', sequence - this.sequence - 1)
    this.sequence = sequence
    return true
  }

  /**
   * Where rows of this window are added up; undefined when too many windows are open.
   * @param isEnding it has a place also when windows far ahead have taken all
   */
  open(window: number, isEnding = false): Fold | undefined {
    let fold = this.#open.get(window)
    if (!fold && (isEnding || this.#open.size < OPEN_WINDOWS)) {
      fold = new Fold(this.#withProcesses())
      this.#open.set(window, fold)
    }
    return fold
  }

  /** @returns the windows that end with this one, oldest first */
  end(head: WindowHead, names: WindowNames): Folded[] {
    if (head.window <= this.closed) return []
    this.open(head.window, true)?.end(names)
    const folded: Folded[] = []
    for (const [index, open] of [...this.#open].sort(([a], [b]) => a - b)) {
      if (index > head.window) break
      this.#open.delete(index)
      this.#lose('groups', open.overflowed)
      this.#lose('cgroup_id', open.refused)
      const complete = index === head.window
      if (!complete) this.#lose('incomplete', 1)
      // labels are multiples of the interval: a window without its own end is labelled by its distance from this one. A
      // clock that was set back may have fewer intervals behind it
      const time = Math.max(0, head.time - (head.window - index) * head.interval)
      const partial = complete ? head.partial : index === 0
      const key = { ...keyOf(head), window: index }
      const { interval } = head
      const lost = complete ? since(this.lost, this.#told) : {}
      folded.push({ key, time, partial, complete, interval, lost, fold: open })
    }
    this.#told = this.lost
    this.#settledSequence = head.sequence
    this.closed = head.window
    this.interval = head.interval
    this.ended++
    return folded
  }

  /**
   * Windows before this one are in some collector's sinks. What comes by an earlier connection may come behind this: it
   * is too late then, not missing and not half a window.
   * @returns whether another collector has had the probe since the last time
   */
  settled(head: SettledHead): { elsewhere: boolean } {
    const elsewhere = head.elsewhere && head.window > this.#movedAt
    if (elsewhere) this.#movedAt = head.window
    this.#settledSequence = Math.max(this.#settledSequence, head.sequence - 1)
    this.sequence = Math.max(this.sequence, this.#settledSequence)
    if (head.window > this.closed + 1) {
      this.closed = head.window - 1
      this.#told = head.lost
    }
    for (const index of this.#open.keys()) if (index < head.window) this.#open.delete(index)
    return { elsewhere }
  }

  /** The probe is silent: what it left unfinished is counted, and comes anew should it come back. */
  abandon(): void {
    if (this.#open.size > 0) this.sequence = this.#settledSequence
    for (const fold of this.#open.values()) this.#lose('unfinished', fold.rows)
    this.#open.clear()
  }
}

const since = (lost: Losses, told: Losses): Losses =>
  Object.fromEntries(
    Object.entries(lost)
      .map(([reason, count]) => [reason, count - (Object.hasOwn(told, reason) ? told[reason]! : 0)] as const)
      .filter(([, count]) => count > 0),
  )

/** @param interval seconds */
export const idleMs = (interval: number): number => Math.max(IDLE_MS, IDLE_WINDOWS * interval * 1000)

export const keyOf = ({ host, boot, probe, window }: WindowKey): WindowKey => ({ host, boot, probe, window })
