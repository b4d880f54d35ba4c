/**
 * The window on the wall clock. Kernel time is CLOCK_BOOTTIME, which nobody sets; labels are wall-clock multiples of the
 * interval, which somebody may. A clock set back makes the running window longer until the wall clock passes the next
 * label; a clock set forward ends it at once and skips labels. Labels rise strictly, windows touch, nothing is in two.
 */

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
  /** The first window, which began when the probe did, or the last, which ended when it did. */
  readonly partial: boolean
}

/** Less than this is slewing, which moves the next label, not this one. */
const STEP_NS = 250_000_000n
/** So many intervals late, windows are joined instead of made up one by one (a machine that slept). */
const MOST_BEHIND = 6n

export class Windows {
  /** Labels that a clock set forward, or a sleep, passed over. */
  skipped = 0
  /** Times that a clock set back made a window longer than its interval. */
  stretched = 0
  current: Window
  readonly #clock: Clock
  readonly #intervalNs: bigint

  /** @param interval whole seconds */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock
    this.#intervalNs = BigInt(interval) * 1_000_000_000n
    const startNs = clock.bootNs()
    const offset = clock.wallNs() - startNs
    this.current = this.#plan(0, startNs, this.#labelAfter(startNs + offset), offset)
  }

  /** Labels and windows that are not as they should be, by reason. */
  lost(): Readonly<Record<string, number>> {
    return { 'window/skipped': this.skipped, 'window/stretched': this.stretched }
  }

  /** The running window when it has ended; the next one runs from then on. */
  next(): Window | undefined {
    const boot = this.#clock.bootNs()
    const offset = this.#clock.wallNs() - boot
    const step = offset - this.current.clockOffsetNs
    if (step > STEP_NS || step < -STEP_NS) this.#replan(boot, offset)
    if (boot < this.current.endNs) return undefined
    const ended = this.current
    const label = BigInt(ended.time) * 1_000_000_000n
    const behind = (boot + offset - label) / this.#intervalNs
    // labels that the clock jumped over had no time of their own
    const joined = behind > MOST_BEHIND || step > STEP_NS
    const after = joined ? label + behind * this.#intervalNs : label
    this.skipped += Number((after - label) / this.#intervalNs)
    this.current = this.#plan(ended.index + 1, ended.endNs, after + this.#intervalNs, offset)
    return ended
  }

  /** The running window, ended now: the last of a run, and no whole one. */
  cut(): Window {
    const boot = this.#clock.bootNs()
    const { startNs } = this.current
    return { ...this.current, endNs: boot > startNs ? boot : startNs + 1n, partial: true }
  }

  /** How long to sleep before asking again: short enough to notice a clock that was set. */
  waitMs(): number {
    const left = Number(this.current.endNs - this.#clock.bootNs()) / 1e6
    return Math.max(0, Math.min(250, Math.ceil(left)))
  }

  #labelAfter(wallNs: bigint): bigint {
    return (wallNs / this.#intervalNs + 1n) * this.#intervalNs
  }

  #plan(index: number, startNs: bigint, labelNs: bigint, offset: bigint): Window {
    const endNs = labelNs - offset
    return {
      index,
      startNs,
      endNs: endNs > startNs ? endNs : startNs + 1n,
      time: Number(labelNs / 1_000_000_000n),
      clockOffsetNs: offset,
      partial: index === 0,
    }
  }

  #replan(boot: bigint, offset: bigint): void {
    const { index, startNs, time, clockOffsetNs } = this.current
    const label = BigInt(time) * 1_000_000_000n
    const wall = boot + offset
    if (wall < label) {
      const replanned = this.#plan(index, startNs, label, offset)
      if (offset < clockOffsetNs && replanned.endNs - startNs > this.#intervalNs) this.stretched++
      this.current = replanned
      return
    }
    if (boot >= this.current.endNs) return // it had ended anyway: its label stands, the next is planned anew
    const last = wall - (wall % this.#intervalNs)
    this.skipped += Number((last - label) / this.#intervalNs)
    const endNs = boot > startNs ? boot : startNs + 1n
    this.current = { ...this.#plan(index, startNs, last, offset), endNs }
  }
}
