/** The probe's kernel side: loads, attaches and reads programs as the signals describe. It does not know windows. */

import type { BpfObject, Entries, Layout, Link, ProgramStats, Rings } from 'bcc-bindings'
import type { Rows } from '../../wire/layout.ts'
import { LOST } from '../../wire/records.ts'
import type { Flows, Pass } from '../signals/flows.ts'
import { netns } from '../signals/netns.ts'
import type { KernelOptions, RingReader, Signal } from '../signals/signal.ts'
import { attach, iterate, scan } from './attach.ts'
import { explained, load } from './load.ts'
import { Report } from './report.ts'
import { Room } from './room/room.ts'
import { Totals } from './totals.ts'
import { Wanted } from './wanted.ts'

/** The readers of the rings; records are valid until the function returns. */
export interface Readers extends Readonly<Record<RingReader, (ring: string, records: Buffer) => void>> {
  /** Takes what the kernel refuses later, a sentence each. */
  refused?(sentence: string): void
}

/** Again when a signal that was refused has a substitute, which is not loaded. */
function start(wanted: Wanted): [BpfObject, Link[]] {
  for (;;) {
    const object = load(wanted)
    try {
      const loaded = wanted.signals
      const links = attach(object, wanted)
      if (wanted.signals.every(signal => loaded.includes(signal))) return [object, links]
    } catch (error) {
      object.close()
      throw explained(error)
    }
    object.close()
  }
}

export class Kernel {
  readonly flows: readonly Flows[]
  readonly #wanted: Wanted
  readonly #object: BpfObject
  readonly #links: readonly Link[]
  readonly #rings: Rings
  readonly #report: Report
  readonly #room: Room
  readonly #totals: Totals
  readonly #lost: Buffer

  /** @throws with the doctor's sentence, or BpfError with the verifier's log; everything is closed then */
  constructor(options: KernelOptions, readers: Readers) {
    this.#wanted = new Wanted(options)
    const [object, links] = start(this.#wanted)
    this.#object = object
    this.#links = links
    try {
      const { signals } = this.#wanted
      this.#report = new Report(this.#object, signals)
      this.flows = this.#report.flows
      this.#lost = this.#object.map('lost').view()
      this.#totals = new Totals(this.#object)
      this.#room = new Room(this.#object, this.#wanted, sentence => readers.refused?.(sentence))
      const rings = new Map(
        signals.flatMap(({ ring }) => (ring ? [[ring.record, readers[ring.reader]]] : [])),
      )
      rings.set('room_call', () => this.#room.check())
      this.#rings = this.#object.rings([...rings.keys()], (ring, records) => rings.get(ring)!(ring, records))
      this.#room.check()
    } catch (error) {
      this.#object.close()
      throw explained(error)
    }
  }

  /** Signals that this kernel or its configuration refuses, and why; the others run. */
  get unavailable(): ReadonlyMap<Signal, string> {
    return this.#wanted.unavailable
  }

  /** The same, a sentence each. */
  shortcomings(): string[] {
    return [...this.unavailable].map(
      ([{ gives, fallback }, why]) => `${gives} unavailable (${why}); fallback: ${fallback}`,
    )
  }

  /**
   * Sockets that existed before the programs were attached.
   * @param proc where procfs is mounted
   */
  async scan(proc = '/proc'): Promise<void> {
    await this.#room.whileWaiting(scan(this.#object, this.#wanted, proc))
    // a connection without a slot is not older from now on; unless some could not be seen, or found none
    const lost = this.lost()
    const hasAll = !lost['kernel/slot'] && !lost['kernel/storage']
    if (this.#wanted.has(netns) && hasAll) this.#object.map('.data.scanned').view().writeUInt8(1, 0)
  }

  /** Who has the descriptors of connections that were accepted and not used: the owner until they are. */
  async findUsers(): Promise<void> {
    await iterate(this.#object, this.#wanted, 'user_scan')
  }

  /** The state of every flow that was open at `endNs`: whole rows, valid until the next step. */
  report(flows: Flows, endNs: bigint, pass: Pass): AsyncGenerator<Rows> {
    return this.#report.run(flows, endNs, pass)
  }

  /** The costs of the programs so far, while kernel.bpf_stats_enabled is 1. */
  stats(): readonly ProgramStats[] {
    return this.#object.programStats()
  }

  /** Reads all records that are in the rings now. To be called ten times a second: room for more flows is made, too. */
  drain(): void {
    this.#rings.drain()
    this.#room.check()
  }

  /** The sums of all cgroups since they were first seen, one per CPU; see `probe/read/rtt_sums.ts`. */
  totals(): readonly Entries[] {
    return this.#totals.read()
  }

  forgetTotals(key: Buffer): void {
    this.#totals.forget(key)
  }

  layout(name: string): Layout {
    return this.#object.layout(name)
  }

  /** What the kernel side had no room for, by reason, since the start. */
  lost(): Record<string, number> {
    const counts = LOST.map((reason, index): [string, number] => [
      `kernel/${reason}`,
      Number(this.#lost.readBigUInt64LE(index * 8)),
    ])
    counts.push(['kernel/bad_record', this.#rings.badRecords], ['kernel/growth', this.#room.failed])
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  close(): void {
    for (const link of this.#links) link.detach()
    this.#room.close()
    this.#object.close()
  }
}
