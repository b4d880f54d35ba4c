/**
 * The window on the wall clock. Kernel time is CLOCK_BOOTTIME, which cannot be set; labels are multiples of the interval
 * on the wall clock, which can be set.
 *
 * A clock set back by less than an interval makes the running window longer, until the wall clock passes its label. Set
 * back further, the running window ends at once and labels follow the new clock: they go back once. So it does when a clock
 * that is set back again and again would make it longer than three intervals. A clock set forward past the label ends the
 * window at once, too. Windows touch each other, and no moment is in two of them.
 */

import { EARLIEST_S } from '../../wire/time.ts'

export interface Clock {
  /** CLOCK_BOOTTIME, nanoseconds. */
  bootNs(): bigint
  /** Nanoseconds since the epoch. */
  wallNs(): bigint
}

export interface Window {
  /** Counted from 0 over the run. */
  readonly index: number
  readonly startNs: bigint
  /** Exclusive. */
  readonly endNs: bigint
  /** Label: seconds since the epoch, a multiple of the interval. */
  readonly time: number
  /** Wall clock less boot time when the window was planned, nanoseconds. */
  readonly clockOffsetNs: bigint
  /**
   * Not one whole interval: it is shown and counted, but not stored. The first window, which began when the probe did; the
   * last, which ended when it did; one that a late probe or a clock set back made longer, because its flows would look
   * like a spike; any window while the clock was never set.
   */
  readonly partial: boolean
}

/** A smaller change is slewing, which moves the next label, not this one. */
const STEP_NS = 250_000_000n
/** A probe that is later than so many intervals (SIGSTOP, a machine that slept) joins the windows that it missed. */
const MAX_LATE = 2n
/** Intervals in a window, however often the clock is set back in it. */
const LONGEST = 3n
const NS = 1_000_000_000n

export class Windows {
  /** Labels of joined windows that have no window of their own. */
  skipped = 0
  /** Windows longer than one and a half intervals. */
  stretched = 0
  /** Times that the wall clock was set past the running window, forward or back. */
  clockSet = 0
  /** Windows under a clock that was never set. */
  clockUnset = 0
  current: Window
  readonly #clock: Clock
  readonly #intervalNs: bigint

  /** @param interval whole seconds */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock
    this.#intervalNs = BigInt(interval) * NS
    const startNs = clock.bootNs()
    const offset = clock.wallNs() - startNs
    this.current = this.#plan(0, startNs, this.#labelAfter(startNs + offset), offset)
  }

  /** Irregular labels and windows, by reason. */
  lost(): Readonly<Record<string, number>> {
    return {
      'window/skipped': this.skipped,
      'window/stretched': this.stretched,
      'window/clock_set': this.clockSet,
      'window/clock_unset': this.clockUnset,
    }
  }

  /** The running window when it has ended; the next one runs from then on. */
  next(): Window | undefined {
    const boot = this.#clock.bootNs()
    const offset = this.#clock.wallNs() - boot
    const step = offset - this.current.clockOffsetNs
    const wasSet = step > STEP_NS || step < -STEP_NS
    if (wasSet) this.#replan(boot, offset)
    if (boot < this.current.endNs) return undefined
    const ended = this.#ended(this.current)
    this.current = this.#plan(
      ended.index + 1,
      ended.endNs,
      this.#labelBehind(ended, boot, offset, wasSet),
      offset,
    )
    return ended
  }

  /** The running window, ended now: the last of a run, and partial. */
  cut(): Window {
    const boot = this.#clock.bootNs()
    const { startNs } = this.current
    return { ...this.current, endNs: boot > startNs ? boot : startNs + 1n, partial: true }
  }

  /** How long to sleep before the next call: short enough to notice a clock that was set. */
  waitMs(): number {
    const left = Number(this.current.endNs - this.#clock.bootNs()) / 1e6
    return Math.max(0, Math.min(250, Math.ceil(left)))
  }

  #labelAfter(wallNs: bigint): bigint {
    return (wallNs / this.#intervalNs + 1n) * this.#intervalNs
  }

  /** The label of the window after this one. */
  #labelBehind(ended: Window, boot: bigint, offset: bigint, wasSet: boolean): bigint {
    const wall = boot + offset
    const label = BigInt(ended.time) * NS
    const next = label + this.#intervalNs
    if (this.#isFar(next, ended.endNs, boot, offset)) {
      this.clockSet++ // back
      return this.#labelAfter(wall)
    }
    const late = (wall - label) / this.#intervalNs
    if (late < 1n || (late <= MAX_LATE && !wasSet)) return next
    if (wasSet) this.clockSet++
    else this.skipped += Number(late)
    return next + late * this.#intervalNs
  }

  /** Whether a window that began then would become too long with this label. */
  #isFar(label: bigint, startNs: bigint, boot: bigint, offset: bigint): boolean {
    const endNs = label - offset
    return endNs - boot > 2n * this.#intervalNs || endNs - startNs > LONGEST * this.#intervalNs
  }

  #ended(window: Window): Window {
    const isLong = 2n * (window.endNs - window.startNs) > 3n * this.#intervalNs
    const isUnset = window.time < EARLIEST_S
    if (isLong) this.stretched++
    if (isUnset) this.clockUnset++
    return isLong || isUnset ? { ...window, partial: true } : window
  }

  #plan(index: number, startNs: bigint, labelNs: bigint, offset: bigint): Window {
    const endNs = labelNs - offset
    return {
      index,
      startNs,
      endNs: endNs > startNs ? endNs : startNs + 1n,
      time: Number(labelNs / NS),
      clockOffsetNs: offset,
      partial: index === 0,
    }
  }

  /** The clock was set. A window that had ended before keeps its label; the next is planned anew. */
  #replan(boot: bigint, offset: bigint): void {
    const { index, startNs, time, endNs } = this.current
    if (boot >= endNs) return
    const label = BigInt(time) * NS
    const wall = boot + offset
    const now = boot > startNs ? boot : startNs + 1n
    if (this.#isFar(label, startNs, boot, offset)) {
      this.current = { ...this.current, endNs: now, partial: true }
    } else if (wall < label) {
      this.current = this.#plan(index, startNs, label, offset)
    } else {
      this.clockSet++
      this.current = { ...this.#plan(index, startNs, wall - (wall % this.#intervalNs), offset), endNs: now }
    }
  }
}
