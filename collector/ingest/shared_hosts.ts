/**
 * Two probes that call their host by one name: a cloned machine, or two probes on one machine. Their samples would be added up
 * or written over each other, so the one that came later gets a host of its own, `web1~3f2a`, after its run id.
 *
 * A run is one start of a probe. Two runs overlap when the labels of their whole windows do: the same label, or one run's label
 * between two of the other's. A probe that restarts never overlaps with its run before, in whatever order their windows come:
 * its windows all end before those of the next run begin. Two runs are in conflict when they overlap and each was heard after
 * the other had begun: a run that ended before the clock was set back is no conflict.
 */

import { type Identity, runOf, type WindowKey } from '../../wire/message.ts'
import type { ThrottledLog } from '../../wire/process/throttled_log.ts'
import type { Counted } from '../counters.ts'
import type { Settled } from '../settled.ts'
import type { Folded } from './folded.ts'
import type { Next } from './listeners.ts'
import { keyOf } from './probe_windows.ts'

/** Hosts that are known, and runs of each; beyond it the one that was silent longest is forgotten. */
const MAX_HOSTS = 16_384
const MAX_RUNS = 16
/** A run that is silent for longer than a day is forgotten, as in `Ingest`. */
const REMEMBERED_MS = 24 * 3_600_000
/** Characters of the run id in the name; more while two runs have these in common. */
const SUFFIX = 4
/** Names in `/stats`. */
const MAX_SHOWN = 100

interface Run {
  readonly key: Identity
  /** Its own, once it is kept apart. */
  name: string
  /** The run that it is kept apart from has the same boot id. */
  isOneMachine: boolean
  /** When it was heard first and last, in windows that the collector has received. */
  readonly first: number
  last: number
  /** Milliseconds. */
  seenMs: number
  /** Labels of its whole windows, seconds; without any, the lowest is above the highest. */
  min: number
  max: number
}

export class SharedHosts implements Next, Counted {
  /** Windows of runs that are kept apart. */
  shared = 0
  /** By endpoint and host, then by run; who was silent longest is first. */
  readonly #hosts = new Map<string, Map<string, Run>>()
  /** The runs that are kept apart. */
  readonly #apart = new Map<string, Run>()
  #received = 0
  readonly #next: Next
  readonly #hasHostTag: boolean
  readonly #log: ThrottledLog
  readonly #now: () => number

  /**
   * @param hasHostTag whether samples have the tag host; profile ntopng's have not
   * @param now milliseconds that only rise
   */
  constructor(
    next: Next,
    hasHostTag: boolean,
    log: ThrottledLog,
    now: () => number = () => performance.now(),
  ) {
    this.#next = next
    this.#hasHostTag = hasHostTag
    this.#log = log
    this.#now = now
  }

  write(window: Folded, ifid: string, settled: Settled, border?: () => void): void {
    const { key, partial } = window
    const runs = this.#runs(ifid, key.host)
    const run = this.#heard(runs, window)
    for (const other of runs.values()) if (isConflict(run, other)) this.#keepApart(run, other, runs)
    const isApart = run.name !== key.host
    if (isApart && !partial) this.shared++
    if (isApart) this.#warn(run)
    const named = isApart ? { ...window, key: { ...key, host: run.name } } : window
    this.#next.write(named, ifid, settled, border)
  }

  settled(key: WindowKey, elsewhere: boolean): void {
    this.#next.settled({ ...key, host: this.#apart.get(runOf(key))?.name ?? key.host }, elsewhere)
  }

  losses() {
    return { 'series/shared_hosts': this.shared }
  }

  view() {
    const names = [...this.#apart.values()].map(({ name }) => name)
    return { shared_hosts: this.shared, kept_apart: names.slice(0, MAX_SHOWN) }
  }

  /** Forget runs that have been silent. */
  expire(): void {
    const old = this.#now() - REMEMBERED_MS
    for (const [id, runs] of this.#hosts) {
      for (const run of runs.values()) if (run.seenMs < old) this.#forget(runs, run)
      if (runs.size === 0) this.#hosts.delete(id)
    }
  }

  #runs(ifid: string, host: string): Map<string, Run> {
    const id = `${ifid} ${host}`
    const runs = this.#hosts.get(id) ?? new Map<string, Run>()
    this.#hosts.delete(id)
    this.#hosts.set(id, runs)
    const [oldest] = this.#hosts
    if (oldest && this.#hosts.size > MAX_HOSTS) {
      for (const run of oldest[1].values()) this.#forget(oldest[1], run)
      this.#hosts.delete(oldest[0])
    }
    return runs
  }

  #heard(runs: Map<string, Run>, { key, time, partial, complete }: Folded): Run {
    const id = runOf(key)
    const at = this.#received++
    const run = runs.get(id) ?? {
      ...{ key: keyOf(key), name: key.host, isOneMachine: false, first: at },
      ...{ last: at, seenMs: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY },
    }
    run.last = at
    run.seenMs = this.#now()
    if (complete && !partial) {
      run.min = Math.min(run.min, time)
      run.max = Math.max(run.max, time)
    }
    runs.delete(id)
    runs.set(id, run)
    const [oldest] = runs.values()
    if (oldest && runs.size > MAX_RUNS) this.#forget(runs, oldest)
    return run
  }

  #keepApart(run: Run, other: Run, runs: ReadonlyMap<string, Run>): void {
    const [earlier, later] = run.first < other.first ? [run, other] : [other, run]
    const { host, probe } = later.key
    const taken = new Set(Array.from(runs.values(), ({ name }) => name))
    let length = SUFFIX
    while (taken.has(`${host}~${probe.slice(0, length)}`) && length < probe.length) length++
    later.name = `${host}~${probe.slice(0, length)}`
    later.isOneMachine = earlier.key.boot === later.key.boot
    this.#apart.set(runOf(later.key), later)
    this.#warn(later)
  }

  #warn({ key: { host }, name, isOneMachine }: Run): void {
    const cause = isOneMachine
      ? `two probes run on one machine, ${host}: stop one`
      : `two machines are called ${host}: give each a --host of its own`
    const now = this.#hasHostTag
      ? `the one that came later is stored as host ${name}`
      : 'profile ntopng has no tag host, so their samples are written over each other'
    this.#log.warn('shared_hosts', `${cause}; ${now}`, host)
  }

  #forget(runs: Map<string, Run>, { key }: Run): void {
    runs.delete(runOf(key))
    this.#apart.delete(runOf(key))
  }
}

const isConflict = (a: Run, b: Run): boolean =>
  a !== b && a.name === b.name && a.min <= b.max && b.min <= a.max && a.last > b.first && b.last > a.first
