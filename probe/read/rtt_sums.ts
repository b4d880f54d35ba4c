/**
 * RTT samples and resets per cgroup, network namespace and role: the kernel's sums only rise, separately on each CPU; here
 * they become the rows of one window. `struct tcp_total_key` and `struct tcp_total_sums` in `bpf/tcp_total.bpf.h`.
 */

import type { Entries, Layout } from 'bcc-bindings'
import { encodeRows, type Given } from '../../wire/columns.ts'
import { BUCKETS, bucketOf, lowest } from '../../wire/count/histogram.ts'
import { kindOf } from '../../wire/count/kinds.ts'
import type { Rows } from '../../wire/layout.ts'
import type { RTT_BUCKET, TCP_TOTAL } from '../../wire/records.ts'

/** What is needed of the kernel. */
export interface TotalsKernel {
  layout(name: string): Layout
  /** Of one map or more: a key may be in several. */
  totals(): readonly Entries[]
  forgetTotals(key: Buffer): void
}

/** Sums that did not change for so long are removed from the kernel's map. */
const FORGET_NS = 60_000_000_000n

interface Previous {
  readonly buckets: Uint32Array
  sum: bigint
  squares: bigint
  /** As `#counters`. */
  counts: readonly number[]
  changedNs: bigint
}

/** The change since the last read. */
interface Change {
  readonly sums: Given<typeof TCP_TOTAL>
  readonly buckets: readonly Given<typeof RTT_BUCKET>[]
}

const offsetsOf = (layout: Layout): Readonly<Record<string, number>> =>
  Object.fromEntries(layout.fields.map(({ name, offset }) => [name, offset]))

/** The sums of one key: of a key in several maps those of one behind the other, as if there were more CPUs. */
interface Sums {
  readonly key: Buffer
  readonly values: Buffer
}

function byKey(maps: readonly Entries[]): Map<string, Sums> {
  const found = new Map<string, Sums>()
  for (const { keys, values, count } of maps) {
    const [keySize, valueSize] = [keys.length / count, values.length / count]
    for (let i = 0; i < count; i++) {
      const key = keys.subarray(i * keySize, (i + 1) * keySize)
      const name = key.toString('latin1')
      const own = values.subarray(i * valueSize, (i + 1) * valueSize)
      const other = found.get(name)
      found.set(name, { key, values: other ? Buffer.concat([other.values, own]) : own })
    }
  }
  return found
}

interface Range {
  readonly rtt_min_us: number
  readonly rtt_max_us: number
}

/**
 * The range, within the buckets that have samples. A sample that came while the kernel's sums were read has its range and
 * its bucket in two windows: then the bucket's own bound is the nearest that is known.
 * @param buckets lowest first
 */
function fitted(range: Range, buckets: readonly Given<typeof RTT_BUCKET>[]): Range {
  const [first, last] = [buckets[0]?.bucket, buckets.at(-1)?.bucket]
  if (typeof first !== 'number' || typeof last !== 'number') return range
  const most = last === BUCKETS - 1 ? lowest(last) : Math.ceil(lowest(last + 1)) - 1
  return {
    rtt_min_us: bucketOf(range.rtt_min_us) === first ? range.rtt_min_us : Math.ceil(lowest(first)),
    rtt_max_us: bucketOf(range.rtt_max_us) === last ? range.rtt_max_us : most,
  }
}

/** Sums wrap around as the kernel's do. */
const u32 = (value: number): number => value >>> 0
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

export class RttSums {
  readonly #kernel: TotalsKernel
  readonly #total: Layout
  readonly #bucket: Layout
  readonly #key: Readonly<Record<string, number>>
  readonly #sums: Readonly<Record<string, number>>
  /** Counters besides the samples: fields of `tcp_total` with a counter of the same name in the sums. */
  readonly #counters: readonly string[]
  /** Bytes of one CPU's sums. */
  readonly #stride: number
  /** Buckets of all CPUs, of the current entry. */
  readonly #now: Uint32Array
  readonly #known = new Map<string, Previous>()
  /** Windows so far, as `Kernel.totals` counts them. */
  #window = 0

  constructor(kernel: TotalsKernel) {
    const sums = kernel.layout('tcp_total_sums')
    this.#kernel = kernel
    this.#total = kernel.layout('tcp_total')
    this.#bucket = kernel.layout('rtt_bucket')
    this.#key = offsetsOf(kernel.layout('tcp_total_key'))
    this.#sums = offsetsOf(sums)
    this.#counters = this.#total.fields.filter(field => kindOf(field) === 'delta').map(({ name }) => name)
    for (const name of this.#counters)
      if (sums.fields.find(field => field.name === name)?.type !== 'u32')
        throw new Error(`tcp_total_sums has no u32 ${name}, which tcp_total has`)
    this.#stride = Math.ceil(sums.size / 8) * 8
    this.#now = new Uint32Array(sums.fields.find(({ name }) => name === 'bucket')!.count)
  }

  /** Rows of the window that was just reported, `tcp_total` and `rtt_bucket`; a record without rows is left out. */
  rows(endNs: bigint): Rows[] {
    const found = byKey(this.#kernel.totals())
    const window = this.#window++
    const totals: Given<typeof TCP_TOTAL>[] = []
    const buckets: Given<typeof RTT_BUCKET>[] = []
    for (const [name, { key, values }] of found) {
      const known = this.#known.get(name) ?? this.#meet(name, endNs)
      const change = this.#change(known, key, values, window)
      if (change) {
        known.changedNs = endNs
        totals.push(change.sums)
        buckets.push(...change.buckets)
      } else if (endNs - known.changedNs > FORGET_NS) {
        this.#kernel.forgetTotals(key)
        this.#known.delete(name)
      }
    }
    for (const name of this.#known.keys()) if (!found.has(name)) this.#known.delete(name)
    return [
      { layout: this.#total, bytes: encodeRows<typeof TCP_TOTAL>(this.#total, totals) },
      { layout: this.#bucket, bytes: encodeRows<typeof RTT_BUCKET>(this.#bucket, buckets) },
    ].filter(({ bytes }) => bytes.length > 0)
  }

  #meet(name: string, endNs: bigint): Previous {
    const buckets = new Uint32Array(this.#now.length)
    const counts = this.#counters.map(() => 0)
    const known = { buckets, sum: 0n, squares: 0n, counts, changedNs: endNs }
    this.#known.set(name, known)
    return known
  }

  /** @param values one `tcp_total_sums` for each possible CPU, or more. @returns undefined without a change */
  #change(known: Previous, key: Buffer, values: Buffer, window: number): Change | undefined {
    const { sum, squares, counts } = this.#read(values)
    const owner = this.#owner(key)
    const buckets: Given<typeof RTT_BUCKET>[] = []
    let samples = 0
    for (let bucket = 0; bucket < this.#now.length; bucket++) {
      const more = u32(this.#now[bucket]! - known.buckets[bucket]!)
      if (more === 0) continue
      samples += more
      buckets.push({ ...owner, bucket, samples: more })
    }
    const risen = counts.map((count, index) => u32(count - known.counts[index]!))
    // a sum without its sample was read in the middle of an update: the next read has both
    if (samples === 0 && risen.every(count => count === 0)) return undefined
    const sums = {
      ...Object.fromEntries(this.#counters.map((name, index) => [name, risen[index]])),
      ...{ ...owner, ...fitted(this.#range(values, window), buckets), rtt_samples: samples },
      rtt_sum_us: u64(sum - known.sum),
      rtt_squares_us2: u64(squares - known.squares),
    }
    known.buckets.set(this.#now)
    Object.assign(known, { sum, squares, counts })
    return { sums, buckets }
  }

  /** All CPUs together; their buckets are in `#now`. */
  #read(values: Buffer): Pick<Previous, 'sum' | 'squares' | 'counts'> {
    const at = this.#sums
    const now = this.#now.fill(0)
    let [sum, squares] = [0n, 0n]
    const counts = this.#counters.map(() => 0)
    for (let cpu = 0; cpu < values.length; cpu += this.#stride) {
      sum += values.readBigUInt64LE(cpu + at['rtt_sum_us']!)
      squares += values.readBigUInt64LE(cpu + at['rtt_squares_us2']!)
      for (const [index, name] of this.#counters.entries())
        counts[index]! += values.readUInt32LE(cpu + at[name]!)
      const buckets = new Uint32Array(values.buffer, values.byteOffset + cpu + at['bucket']!, now.length)
      for (let i = 0; i < now.length; i++) now[i]! += buckets[i]!
    }
    return { sum, squares, counts }
  }

  #range(values: Buffer, window: number): Range {
    const at = this.#sums
    let [min, max] = [0, 0]
    for (let cpu = 0; cpu < values.length; cpu += this.#stride)
      // samples that came during the read are in the next window's range already
      for (const range of [window, u32(window + 1)]) {
        const side = cpu + (range & 1) * 4
        const most = values.readUInt32LE(at['range_max_us']! + side)
        if (most === 0 || values.readUInt32LE(at['range_window']! + side) !== range) continue
        const least = values.readUInt32LE(at['range_min_us']! + side)
        min = max === 0 ? least : Math.min(min, least)
        max = Math.max(max, most)
      }
    return { rtt_min_us: min, rtt_max_us: max }
  }

  #owner(key: Buffer) {
    return {
      cgroup: key.readBigUInt64LE(this.#key['cgroup']),
      hierarchy: key.readUInt32LE(this.#key['hierarchy']),
      netns: key.readUInt32LE(this.#key['netns']),
      role: key.readUInt32LE(this.#key['role']),
    }
  }
}
