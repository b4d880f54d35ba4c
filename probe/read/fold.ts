/**
 * Flows folded on the probe: sums and distributions for each cgroup, network namespace and role that owned one. From these
 * the collector makes the same samples as from the flows, without their processes.
 */

import { Group } from '../../wire/count/flow_sums.ts'
import { GroupLookup } from '../../wire/count/group_lookup.ts'
import type { FlowDecoder, OwnerColumns } from '../../wire/count/record.ts'
import { tcpFlow } from '../../wire/count/tcp_flow.ts'
import { tcpHealth } from '../../wire/count/tcp_health.ts'
import { tcpUpdate } from '../../wire/count/tcp_update.ts'
import { udpFlow } from '../../wire/count/udp_flow.ts'
import type { Layout, Rows } from '../../wire/layout.ts'
import { type OwnedSums, type SampleLayouts, sumsOf } from './fold_rows.ts'
import type { Batch } from './read.ts'

/** The records that are folded. */
const FLOWS: ReadonlyMap<string, (layout: Layout) => FlowDecoder> = new Map([
  ['tcp_flow', tcpFlow],
  ['tcp_update', tcpUpdate],
  ['tcp_health', tcpHealth],
  ['udp_flow', udpFlow],
])
/** Pairs of a cgroup and a network namespace. */
const MAX_OWNERS = 4096

/** The groups of one window. */
class Groups extends GroupLookup {
  readonly owned: OwnedSums[] = []
  readonly #most: number
  readonly #known = new Map<number, Map<number, Group>>()
  /** Numbers of the current rows that found no group. */
  #left: number[] = []
  #row = 0

  constructor(most: number) {
    super()
    this.#most = most
  }

  override of(view: DataView, row: number, at: OwnerColumns): Group | undefined {
    const group = super.of(view, row, at)
    if (!group) this.#left.push(this.#row)
    this.#row++
    return group
  }

  /** @returns numbers of rows that found no group */
  fold(rows: Buffer, decoder: FlowDecoder): readonly number[] {
    this.#left = []
    this.#row = 0
    decoder.fold(rows, { owners: this, processes: undefined })
    return this.#left
  }

  protected override find(low: number, high: number, hierarchy: number, netns: number): Group | undefined {
    const cgroup = high * 2 ** 32 + (low >>> 0)
    let groups = this.#known.get(cgroup)
    const place = hierarchy * 2 ** 32 + (netns >>> 0)
    const known = groups?.get(place)
    if (known || this.owned.length >= this.#most) return known
    if (!groups) {
      groups = new Map()
      this.#known.set(cgroup, groups)
    }
    const group = new Group()
    groups.set(place, group)
    this.owned.push({ owner: { cgroup, hierarchy, netns: netns >>> 0 }, group })
    return group
  }
}

export class FlowFold {
  /** Flows that were sent unfolded, because too many cgroups own some. */
  full = 0
  readonly #layouts: SampleLayouts
  readonly #most: number
  readonly #decoders = new Map<string, FlowDecoder>()
  #groups: Groups

  /** @param kernel has the layouts of `tcp_total` and `rtt_bucket` */
  constructor(kernel: { layout(name: string): Layout }, most = MAX_OWNERS) {
    this.#layouts = { total: kernel.layout('tcp_total'), bucket: kernel.layout('rtt_bucket') }
    this.#most = most
    this.#groups = new Groups(most)
  }

  losses() {
    return { 'fold/full': this.full }
  }

  /** The same windows; the sums come right before a window's end. */
  async *fold(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const { window, rows } of batches) {
      if (!rows) for (const sums of this.end()) yield { window, rows: sums }
      const left = rows && this.add(rows)
      if (!rows || left) yield { window, rows: left }
    }
  }

  /** @returns what is not folded: rows of other records, and flows that found no group */
  add(rows: Rows): Rows | undefined {
    const { layout, bytes } = rows
    const decoder = this.#decoder(layout)
    if (!decoder) return rows
    const left = this.#groups.fold(bytes, decoder)
    if (left.length === 0) return undefined
    if (layout.name !== 'tcp_health') this.full += left.length // their flows are counted
    const size = layout.size
    return { layout, bytes: Buffer.concat(left.map(row => bytes.subarray(row * size, (row + 1) * size))) }
  }

  /** The sums of the window that ends. */
  end(): Rows[] {
    const { owned } = this.#groups
    this.#groups = new Groups(this.#most)
    return sumsOf(owned, this.#layouts)
  }

  #decoder(layout: Layout): FlowDecoder | undefined {
    const decoder = this.#decoders.get(layout.name) ?? FLOWS.get(layout.name)?.(layout)
    if (decoder) this.#decoders.set(layout.name, decoder)
    return decoder
  }
}
