/**
 * How far the windows of a partition's hosts have come, and what was known of each host at a position that is behind us: all
 * windows before it are settled, and none after it is in what was known. From there another collector goes on.
 *
 * What is known of a host is taken at the border of two of its windows; when all its windows are settled, at any time.
 */

import type { HostMemory } from '../transport.ts'
import type { Whole } from './assembly.ts'

/** What was known of a host before this sequence of the stream. */
interface Known {
  readonly sequence: number
  readonly probes: unknown
  readonly series: unknown
}

/** A window, from when it came until what is known of its host is behind it. */
interface Passed {
  readonly first: number
  readonly last: number
  isSettled: boolean
}

interface Host {
  known: Known | undefined
  /** Taken, and not behind us yet. */
  candidate: Known | undefined
  windows: Passed[]
  last: number
}

/** What is written down of a partition. */
export interface Saved {
  /** Where to go on in the stream. */
  readonly from: number
  readonly hosts: Readonly<Record<string, Known>>
}

/** Windows of a host from one candidate to the next. */
const WINDOWS = 6

export interface Memories {
  readonly probes: HostMemory
  readonly series: HostMemory
}

export class Positions {
  readonly #memories: Memories
  readonly #hosts = new Map<string, Host>()
  /** Up to which the stream was read. */
  #read: number

  /** What another collector has written down is known here from now on. */
  constructor(memories: Memories, saved: Saved | undefined, from: number) {
    this.#memories = memories
    this.#read = from - 1
    for (const [host, known] of Object.entries(saved?.hosts ?? {})) {
      memories.probes.load(host, known.probes)
      memories.series.load(host, known.series)
      this.#hosts.set(host, { known, candidate: undefined, windows: [], last: known.sequence - 1 })
    }
  }

  get read(): number {
    return this.#read
  }

  /** Windows that are not settled. */
  get waiting(): number {
    let waiting = 0
    for (const { windows } of this.#hosts.values())
      for (const { isSettled } of windows) if (!isSettled) waiting++
    return waiting
  }

  /** @returns whether this part of the stream comes for the first time, and is not in what is known already */
  isNew(host: string, sequence: number): boolean {
    if (sequence <= this.#read) return false
    this.#read = sequence
    return sequence > (this.#hosts.get(host)?.last ?? -1)
  }

  /** A window is about to be read. @returns what to do at its border, and when it is settled */
  begin({ host, first, last }: Omit<Whole, 'parts'>): {
    readonly border: (() => void) | undefined
    readonly settled: () => void
  } {
    const one = this.#of(host)
    const isDue = !one.candidate && one.windows.length >= WINDOWS
    const probes = isDue ? this.#memories.probes.save(host) : undefined
    const border = () => {
      one.candidate = { sequence: first, probes, series: this.#memories.series.save(host) }
      this.#commit(one)
    }
    const passed: Passed = { first, last, isSettled: false }
    one.windows.push(passed)
    one.last = last
    const settled = () => {
      passed.isSettled = true
      this.#commit(one)
    }
    return { border: isDue ? border : undefined, settled }
  }

  /** @param unread the first part, in the stream, of a window that is not whole yet */
  save(unread: number): Saved {
    let from = Math.min(this.#read + 1, unread)
    const hosts: Record<string, Known> = {}
    for (const [host, one] of this.#hosts) {
      if (one.windows.every(({ isSettled }) => isSettled)) this.#take(host, one)
      if (one.known) hosts[host] = one.known
      from = Math.min(from, ...one.windows.map(({ first }) => first))
    }
    return { from, hosts }
  }

  /** Another collector goes on. */
  forget(): void {
    for (const host of this.#hosts.keys()) {
      this.#memories.probes.forget(host)
      this.#memories.series.forget(host)
    }
    this.#hosts.clear()
  }

  #of(host: string): Host {
    const known = this.#hosts.get(host)
    if (known) return known
    // of a time when the partition was here before
    this.#memories.probes.forget(host)
    this.#memories.series.forget(host)
    const one: Host = { known: undefined, candidate: undefined, windows: [], last: -1 }
    this.#hosts.set(host, one)
    return one
  }

  /** Everything of the host is settled, and so in what is known now. */
  #take(host: string, one: Host): void {
    const [probes, series] = [this.#memories.probes.save(host), this.#memories.series.save(host)]
    one.candidate = undefined
    one.windows = []
    one.known = { sequence: one.last + 1, probes, series }
    if (probes === undefined && series === undefined) this.#hosts.delete(host) // it was silent for a day
  }

  #commit(one: Host): void {
    const { candidate, windows } = one
    if (!candidate) return
    const before = windows.filter(({ first }) => first < candidate.sequence)
    if (before.some(({ isSettled }) => !isSettled)) return
    one.known = candidate
    one.candidate = undefined
    one.windows = windows.slice(before.length)
  }
}
