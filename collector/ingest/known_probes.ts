/** The probes that the collector hears, and for a day those that are silent. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import { MalformedError } from '../../wire/check.ts'
import { type Identity, type Losses, runOf } from '../../wire/message.ts'
import { idleMs, ProbeWindows } from './probe_windows.ts'

const MAX_PROBES = 4096
/**
 * What a silent probe lost is remembered, so that it is not counted again when it comes back: as long as series that are
 * written only when they rise.
 */
const REMEMBERED_MS = 24 * 3_600_000
/** A probe that has sent fewer windows may be forged, or restarts all the time. */
const MIN_WINDOWS = 2
/** Its own, and what runs before have left on its disk. */
const RUNS_OF_A_PROBE = 4
/**
 * Of one connection, active at once: what a probe has left on its disk it sends run after run. 4,096 runs that one peer made
 * up, each with windows that do not end, took 150 MB.
 */
const MAX_RUNS = 64
/** A probe that is heard is never put aside for another; one is heard when it was within so many of its intervals. */
const HEARD_INTERVALS = 2

export class KnownProbes {
  readonly #active = new Map<string, ProbeWindows>()
  /** Of the active ones: the connection of each, and the runs of each connection. */
  readonly #from = new Map<string, string>()
  readonly #runs = new Map<string, Set<string>>()
  /** The one that is silent longest is first. */
  readonly #silent = new BoundedMap<string, ProbeWindows>(MAX_PROBES)
  readonly #withProcesses: () => boolean
  readonly #lose: (reason: string, count: number) => void
  readonly #now: () => number
  readonly #left: (run: string) => void

  /**
   * @param withProcesses whether windows are to be folded per process now
   * @param lose counts a loss
   * @param now milliseconds that only rise
   * @param left called with each run that is put aside
   */
  constructor(
    withProcesses: () => boolean,
    lose: (reason: string, count: number) => void,
    now: () => number,
    left: (run: string) => void = () => {},
  ) {
    this.#withProcesses = withProcesses
    this.#lose = lose
    this.#now = now
    this.#left = left
  }

  /** Active now. */
  get size(): number {
    return this.#active.size
  }

  /** @returns undefined for a run that is not active */
  find(run: Identity): ProbeWindows | undefined {
    return this.#active.get(runOf(run))
  }

  /**
   * A message of this run has come.
   * @param from the connection: a probe has one of its own
   * @throws {MalformedError} when there is no room for one more
   */
  of(run: Identity, from = ''): ProbeWindows {
    const id = runOf(run)
    let probe = this.#active.get(id)
    if (!probe) {
      if (this.#active.size >= MAX_PROBES) this.#makeRoom()
      probe = this.#silent.peek(id) ?? new ProbeWindows(this.#withProcesses, this.#lose)
      this.#silent.delete(id)
      this.#active.set(id, probe)
    }
    this.#move(id, from)
    return probe
  }

  /** What the probes that were heard within a day lost, added up. */
  losses(): Losses {
    const sum = new Map<string, number>() // reasons come from the network: one could be `constructor`
    for (const { lost } of [...this.#active.values(), ...this.#silent.values()])
      for (const [reason, count] of Object.entries(lost)) sum.set(reason, (sum.get(reason) ?? 0) + count)
    return Object.fromEntries(sum)
  }

  /** Put aside probes that have been silent; their unfinished windows are counted. */
  expire(): void {
    const now = this.#now()
    for (const [id, probe] of this.#active)
      if (now - probe.seenMs > idleMs(probe.interval)) this.#setAside(id, probe)
    for (const [id, { seenMs }] of this.#silent) if (now - seenMs > REMEMBERED_MS) this.#silent.delete(id)
  }

  #makeRoom(): void {
    this.expire()
    if (this.#active.size >= MAX_PROBES && !this.#evict())
      throw new MalformedError('too_many_probes', `${MAX_PROBES} probes are known already`)
  }

  /**
   * One makes room: of the connection that has the most, if it has more than a probe; else of those that have sent hardly
   * anything, or are not heard any more.
   */
  #evict(): boolean {
    let most = new Set<string>()
    for (const [from, runs] of this.#runs) if (from !== '' && runs.size > most.size) most = runs
    const ofMost = most.size > RUNS_OF_A_PROBE ? [...most] : []
    const now = this.#now()
    const few = () =>
      [...this.#active]
        .filter(
          ([, { ended, seenMs, interval }]) =>
            ended < MIN_WINDOWS || now - seenMs > HEARD_INTERVALS * interval * 1000,
        )
        .map(([id]) => id)
    const some = ofMost.length > 0 ? ofMost : few()
    if (some.length > 0) this.#evictOne(some)
    return some.length > 0
  }

  /** Of these the one that is silent longest. */
  #evictOne(ids: readonly string[]): void {
    const seen = (id: string) => this.#active.get(id)!.seenMs
    const silent = ids.reduce((first, next) => (seen(next) < seen(first) ? next : first))
    this.#lose('evicted', 1)
    this.#setAside(silent, this.#active.get(silent)!)
  }

  /** The run is heard on this connection. */
  #move(id: string, from: string): void {
    const before = this.#from.get(id)
    if (before === from) return
    if (before !== undefined) this.#leave(id, before)
    this.#from.set(id, from)
    const runs = this.#runs.get(from) ?? new Set<string>()
    this.#runs.set(from, runs.add(id))
    if (from !== '' && runs.size > MAX_RUNS) this.#evictOne([...runs].filter(other => other !== id))
  }

  #leave(id: string, from: string): void {
    const runs = this.#runs.get(from)
    runs?.delete(id)
    if (runs?.size === 0) this.#runs.delete(from)
    this.#from.delete(id)
  }

  #setAside(id: string, probe: ProbeWindows): void {
    probe.abandon()
    this.#leave(id, this.#from.get(id) ?? '')
    this.#active.delete(id)
    this.#silent.set(id, probe)
    this.#left(id)
  }
}
