/**
 * RTT samples and resets per cgroup, network namespace and role: the kernel's sums only rise, on each CPU for itself; here
 * they become the rows of one window. `struct tcp_total_key` and `struct tcp_total_sums` in `bpf/tcp_total.bpf.h`.
 */

import { availableParallelism } from 'node:os'
import type { Entries, Layout } from 'bcc-bindings'

export interface Rows {
  readonly layout: Layout
  readonly bytes: Buffer
}

/** The part of `Kernel` that is needed here. */
export interface TotalsKernel {
  layout(name: string): Layout
  totals(): Entries
  forgetTotals(key: Buffer): void
}

/** Sums of a cgroup in which nothing happened so long are taken out of the kernel's map. */
const FORGET_NS = 60_000_000_000n

/** Memory for the sums, all CPUs together, and how many there are at least and at most. */
const MOST_BYTES = 64 * 2 ** 20
const [FEWEST_SUMS, MOST_SUMS] = [512, 4096]

/** How many sums the kernel is to have room for. */
export function roomForSums(sums: Layout): number {
  const room = Math.floor(MOST_BYTES / (sums.size * availableParallelism()))
  return Math.min(Math.max(room, FEWEST_SUMS), MOST_SUMS)
}

interface Known {
  readonly buckets: Uint32Array
  sum: bigint
  squares: bigint
  sent: number
  received: number
  changedNs: bigint
}

/** What happened since the last look. */
interface Change {
  readonly buckets: readonly { bucket: number; samples: number }[]
  readonly samples: number
  readonly sum: bigint
  readonly squares: bigint
  readonly minUs: number
  readonly maxUs: number
  readonly sent: number
  readonly received: number
}

const offsetsOf = (layout: Layout): Readonly<Record<string, number>> =>
  Object.fromEntries(layout.fields.map(({ name, offset }) => [name, offset]))

/** Sums wrap around as the kernel's do. */
const u32 = (value: number): number => value >>> 0
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

export class Totals {
  readonly #kernel: TotalsKernel
  readonly #total: Layout
  readonly #bucket: Layout
  readonly #sums: Layout
  readonly #buckets: number
  readonly #known = new Map<string, Known>()
  /** Windows so far: the kernel counts them, too, pass by pass. */
  #window = 0

  constructor(kernel: TotalsKernel) {
    this.#kernel = kernel
    this.#total = kernel.layout('tcp_total')
    this.#bucket = kernel.layout('rtt_bucket')
    this.#sums = kernel.layout('tcp_total_sums')
    this.#buckets = this.#sums.fields.find(({ name }) => name === 'bucket')!.count
  }

  /** Rows of the window that has just been reported, `tcp_total` and `rtt_bucket`; those without rows are left out. */
  rows(endNs: bigint): Rows[] {
    const { keys, values, count } = this.#kernel.totals()
    const window = this.#window++
    const totals: Buffer[] = []
    const buckets: Buffer[] = []
    const keySize = count > 0 ? keys.length / count : 0
    const valueSize = count > 0 ? values.length / count : 0
    const seen = new Set<string>()
    for (let i = 0; i < count; i++) {
      const key = keys.subarray(i * keySize, (i + 1) * keySize)
      const name = key.toString('latin1')
      seen.add(name)
      const known = this.#known.get(name) ?? this.#meet(name, endNs)
      const change = this.#change(known, values.subarray(i * valueSize, (i + 1) * valueSize), window)
      if (change.samples === 0 && change.sent === 0 && change.received === 0) {
        if (endNs - known.changedNs > FORGET_NS) {
          this.#kernel.forgetTotals(key)
          this.#known.delete(name)
        }
        continue
      }
      known.changedNs = endNs
      totals.push(this.#totalRow(key, change))
      for (const { bucket, samples } of change.buckets) buckets.push(this.#bucketRow(key, bucket, samples))
    }
    for (const name of this.#known.keys()) if (!seen.has(name)) this.#known.delete(name)
    return [
      { layout: this.#total, bytes: Buffer.concat(totals) },
      { layout: this.#bucket, bytes: Buffer.concat(buckets) },
    ].filter(({ bytes }) => bytes.length > 0)
  }

  #meet(name: string, endNs: bigint): Known {
    const buckets = new Uint32Array(this.#buckets)
    const known = { buckets, sum: 0n, squares: 0n, sent: 0, received: 0, changedNs: endNs }
    this.#known.set(name, known)
    return known
  }

  /** @param values one `tcp_total_sums` for each possible CPU */
  #change(known: Known, values: Buffer, window: number): Change {
    const at = offsetsOf(this.#sums)
    const stride = Math.ceil(this.#sums.size / 8) * 8
    const now = new Uint32Array(this.#buckets)
    let [sum, squares] = [0n, 0n]
    let [sent, received, minUs, maxUs] = [0, 0, 0, 0]
    for (let cpu = 0; cpu < values.length; cpu += stride) {
      sum += values.readBigUInt64LE(cpu + at['rtt_sum_us']!)
      squares += values.readBigUInt64LE(cpu + at['rtt_squares_us2']!)
      sent += values.readUInt32LE(cpu + at['resets_sent']!)
      received += values.readUInt32LE(cpu + at['resets_rcvd']!)
      // what came while we read is in the next window's range already
      for (const range of [window, u32(window + 1)]) {
        const side = (range & 1) * 4
        const max = values.readUInt32LE(cpu + at['range_max_us']! + side)
        if (max === 0 || values.readUInt32LE(cpu + at['range_window']! + side) !== range) continue
        const min = values.readUInt32LE(cpu + at['range_min_us']! + side)
        minUs = maxUs === 0 ? min : Math.min(minUs, min)
        maxUs = Math.max(maxUs, max)
      }
      for (let i = 0; i < this.#buckets; i++) now[i]! += values.readUInt32LE(cpu + at['bucket']! + i * 4)
    }
    const buckets: { bucket: number; samples: number }[] = []
    let samples = 0
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      const more = u32(now[bucket]! - known.buckets[bucket]!)
      if (more === 0) continue
      samples += more
      buckets.push({ bucket, samples: more })
    }
    const change = {
      buckets,
      samples,
      sum: u64(sum - known.sum),
      squares: u64(squares - known.squares),
      minUs,
      maxUs,
      sent: u32(sent - known.sent),
      received: u32(received - known.received),
    }
    // a sum without its sample was read in the middle of it: the next look has both
    if (samples === 0 && change.sent === 0 && change.received === 0) return change
    known.buckets.set(now)
    Object.assign(known, { sum, squares, sent, received })
    return change
  }

  #totalRow(key: Buffer, change: Change): Buffer {
    const row = this.#row(this.#total, key)
    const at = offsetsOf(this.#total)
    row.writeBigUInt64LE(change.sum, at['rtt_sum_us'])
    row.writeBigUInt64LE(change.squares, at['rtt_squares_us2'])
    row.writeUInt32LE(change.samples, at['rtt_samples'])
    row.writeUInt32LE(change.minUs, at['rtt_min_us'])
    row.writeUInt32LE(change.maxUs, at['rtt_max_us'])
    row.writeUInt32LE(change.sent, at['resets_sent'])
    row.writeUInt32LE(change.received, at['resets_rcvd'])
    return row
  }

  #bucketRow(key: Buffer, bucket: number, samples: number): Buffer {
    const row = this.#row(this.#bucket, key)
    const at = offsetsOf(this.#bucket)
    row.writeUInt16LE(bucket, at['bucket'])
    row.writeUInt32LE(samples, at['samples'])
    return row
  }

  /** A row with its key: the cgroup, its hierarchy, the network namespace and the role. */
  #row(layout: Layout, key: Buffer): Buffer {
    const from = offsetsOf(this.#kernel.layout('tcp_total_key'))
    const to = offsetsOf(layout)
    const row = Buffer.alloc(layout.size)
    key.copy(row, to['cgroup'], from['cgroup'], from['cgroup']! + 8)
    for (const name of ['hierarchy', 'netns']) key.copy(row, to[name], from[name], from[name]! + 4)
    row[to['role']!] = key.readUInt32LE(from['role'])
    return row
  }
}
