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

export class KnownProbes {
  readonly #active = new Map<string, ProbeWindows>()
  /** The one that is silent longest is first. */
  readonly #silent = new BoundedMap<string, ProbeWindows>(MAX_PROBES)
  readonly #withProcesses: () => boolean
  readonly #lose: (reason: string, count: number) => void
  readonly #now: () => number

  /**
   * @param withProcesses whether windows are to be folded per process now
   * @param lose counts a loss
   * @param now milliseconds that only rise
   */
  constructor(
    withProcesses: () => boolean,
    lose: (reason: string, count: number) => void,
    now: () => number,
  ) {
    this.#withProcesses = withProcesses
    this.#lose = lose
    this.#now = now
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
   * @throws {MalformedError} when there is no room for one more
   */
  of(run: Identity): ProbeWindows {
    const id = runOf(run)
    let probe = this.#active.get(id)
    if (!probe) {
      if (this.#active.size >= MAX_PROBES) this.#makeRoom()
      probe = this.#silent.peek(id) ?? new ProbeWindows(this.#withProcesses, this.#lose)
      this.#silent.delete(id)
      this.#active.set(id, probe)
    }
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

  /** Of the probes that have sent hardly anything, the one that is silent longest. */
  #evict(): boolean {
    const young = [...this.#active].filter(([, { ended }]) => ended < MIN_WINDOWS)
    if (young.length === 0) return false
    this.#lose('evicted', 1)
    this.#setAside(...young.reduce((first, next) => (next[1].seenMs < first[1].seenMs ? next : first)))
    return true
  }

  #setAside(id: string, probe: ProbeWindows): void {
    probe.abandon()
    this.#active.delete(id)
    this.#silent.set(id, probe)
  }
}
