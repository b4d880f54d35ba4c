/** The windows of one run of a probe: their rows until they end, and the losses that it has reported. */

import { MAX_INTERVAL_S } from '../../wire/check.ts'
import {
  type Identity,
  type Losses,
  runOf,
  type SettledHead,
  type WindowHead,
  type WindowKey,
  type WindowNames,
} from '../../wire/message.ts'
import { Fold } from '../fold/fold.ts'
import type { Folded } from './folded.ts'
import { type Missing, missingBetween } from './missing.ts'

/** Windows that may be open at once: the running one, the one whose end is on its way, and one whose end was lost. */
const OPEN_WINDOWS = 3
/** Windows that are remembered because some of their rows were refused; with so many, all that follow count as such. */
const MAX_CUT = 1024
/** A probe that is silent for so long is set aside; one with long windows, after three of them. */
const IDLE_MS = 10 * 60_000
const IDLE_WINDOWS = 3

/** A run as another collector needs it to go on. */
export interface SavedRun {
  readonly sequence: number
  readonly closed: number
  readonly closedTime: number | null
  readonly lost: Losses
  readonly reported: Losses
  readonly interval: number
  readonly ended: number
  readonly movedAt: number
}

export class ProbeWindows {
  readonly run: Identity
  /** Of its last message. */
  sequence = -1
  /** Of the last message before the windows that are open. */
  #settledSequence = -1
  /** The last window that has ended. */
  closed = -1
  /** Its label, seconds; undefined while nothing is known of the windows before the next one. */
  #closedTime: number | undefined
  /** Messages were missing since a window ended last. */
  #hasGap = false
  /** The losses that the probe reported last, by stage and reason. */
  lost: Losses = {}
  /** Seconds; of the window that ended last, the longest before the first. */
  interval = MAX_INTERVAL_S
  seenMs = 0
  /** Windows whose end has come. */
  ended = 0
  readonly #open = new Map<number, Fold>()
  /** Windows without a place: some of their rows were refused. */
  readonly #cut = new Set<number>()
  /** The window before which another collector had the probe; -1 when none had. */
  #movedAt = -1
  /** The part of `lost` that is in a window already. */
  #reported: Losses = {}
  readonly #withProcesses: () => boolean
  readonly #lose: (reason: string, count: number) => void

  /**
   * @param withProcesses whether a window that begins now is folded per process
   * @param lose counts a loss
   */
  constructor(run: Identity, withProcesses: () => boolean, lose: (reason: string, count: number) => void) {
    this.run = { host: run.host, boot: run.boot, probe: run.probe }
    this.#withProcesses = withProcesses
    this.#lose = lose
  }

  /**
   * A message has come.
   * @returns false for one that has come before
   */
  advance(sequence: number): boolean {
    if (sequence <= this.sequence) return false
    if (this.sequence >= 0) this.#lose('gap', sequence - this.sequence - 1)
    this.#hasGap ||= this.sequence >= 0 && sequence > this.sequence + 1
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
    if (!fold && this.#cut.size < MAX_CUT) this.#cut.add(window)
    return fold
  }

  /** @returns the windows that end with this one, oldest first */
  end(head: WindowHead, names: WindowNames): Folded[] {
    if (head.window <= this.closed) return []
    const missing = this.#missing(head)
    const missed = this.#missed(head)
    const fold = this.open(head.window, true)!
    fold.end(names)
    const isWhole =
      !this.#cut.has(head.window) && this.#cut.size < MAX_CUT && this.#hasAll(head, fold, missing)
    const folded: Folded[] = []
    for (const [index, open] of [...this.#open].sort(([a], [b]) => a - b)) {
      if (index > head.window) break
      this.#open.delete(index)
      this.#lose('groups', open.overflowed)
      this.#lose('cgroup_id', open.refused)
      const hasEnd = index === head.window
      const complete = hasEnd && isWhole
      if (!complete) this.#lose('incomplete', 1)
      // labels are multiples of the interval: a window without its own end is labelled by its distance from this one. A
      // clock that was set back may have fewer intervals behind it
      const time = Math.max(0, head.time - (head.window - index) * head.interval)
      const partial = hasEnd ? head.partial : index === 0
      const key = { ...keyOf(head), window: index }
      const { interval } = head
      const lost = hasEnd ? since(this.lost, this.#reported) : {}
      const made = hasEnd && head.rows !== undefined ? { made: head.rows } : {}
      folded.push({
        key,
        time,
        partial,
        complete,
        interval,
        lost,
        fold: open,
        ...made,
        run: runOf(head),
        ...(hasEnd && { missing, missed, offsetMs: Number(head.clock_offset_ns) / 1e6 }),
      })
    }
    this.#forgetCut(head.window)
    this.#reported = this.lost
    this.#settledSequence = head.sequence
    this.closed = head.window
    this.#closedTime = head.time
    this.#hasGap = false
    this.interval = head.interval
    this.ended++
    return folded
  }

  /**
   * Windows before this one are in some collector's sinks. Messages on an earlier connection may arrive after this one:
   * they are late, not missing, and no half a window.
   * @returns whether another collector has had the probe since the last time
   */
  settled(head: SettledHead): { elsewhere: boolean } {
    const elsewhere = head.elsewhere && head.window > this.#movedAt
    if (elsewhere) this.#movedAt = head.window
    this.#settledSequence = Math.max(this.#settledSequence, head.sequence - 1)
    this.sequence = Math.max(this.sequence, this.#settledSequence)
    if (head.window > this.closed + 1) {
      this.closed = head.window - 1
      this.#closedTime = 0
      this.#hasGap = false
      this.#reported = head.lost
    }
    this.#closedTime ??= 0
    for (const index of this.#open.keys()) if (index < head.window) this.#open.delete(index)
    this.#forgetCut(head.window - 1)
    return { elsewhere }
  }

  #missing(head: WindowHead): Missing[] {
    const last = { window: this.closed, time: this.#closedTime ?? 0 }
    return this.#closedTime === undefined ? [] : missingBetween(last, head, index => this.#open.has(index))
  }

  /** How many these are; the first window of a run is never stored, and so not missing. */
  #missed({ window }: WindowHead): number {
    if (this.#closedTime === undefined) return 0
    const first = Math.max(this.closed + 1, 1)
    const isBetween = (index: number) => index >= first && index < window
    return Math.max(0, window - first - [...this.#open.keys()].filter(isBetween).length)
  }

  /** A probe that does not say how many rows there are has a gap in its messages where some are missing. */
  #hasAll({ window, rows }: WindowHead, fold: Fold, missing: readonly Missing[]): boolean {
    if (rows !== undefined) return fold.rows + fold.unread >= rows
    const isExplained = missing.length > 0 || [...this.#open.keys()].some(index => index < window)
    return !this.#hasGap || isExplained
  }

  #forgetCut(last: number): void {
    for (const index of this.#cut) if (index <= last) this.#cut.delete(index)
  }

  /** Between two windows. */
  save(): SavedRun {
    const { closed, lost, interval, ended } = this
    const sequence = this.#open.size > 0 ? this.#settledSequence : this.sequence
    const more = { closedTime: this.#closedTime ?? null, reported: this.#reported, movedAt: this.#movedAt }
    return { sequence, closed, lost, interval, ended, ...more }
  }

  /** In place of what is known of the run. */
  load({ sequence, closed, lost, interval, ended, closedTime, reported, movedAt }: SavedRun): void {
    Object.assign(this, { sequence, closed, lost, interval, ended })
    this.#settledSequence = sequence
    this.#closedTime = closedTime ?? undefined
    this.#reported = reported
    this.#movedAt = movedAt
    this.#open.clear()
    this.#cut.clear()
  }

  /** The probe is silent: its unfinished windows are counted, and sent again if it comes back. */
  abandon(): void {
    if (this.#open.size > 0) this.sequence = this.#settledSequence
    for (const fold of this.#open.values()) this.#lose('unfinished', fold.rows)
    this.#open.clear()
    this.#cut.clear()
  }
}

const since = (lost: Losses, reported: Losses): Losses =>
  Object.fromEntries(
    Object.entries(lost)
      .map(
        ([reason, count]) =>
          [reason, count - (Object.hasOwn(reported, reason) ? reported[reason]! : 0)] as const,
      )
      .filter(([, count]) => count > 0),
  )

/** @param interval seconds */
export const idleMs = (interval: number): number => Math.max(IDLE_MS, IDLE_WINDOWS * interval * 1000)

export const keyOf = ({ host, boot, probe, window }: WindowKey): WindowKey => ({ host, boot, probe, window })
