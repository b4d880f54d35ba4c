/** Sums that rise on each CPU for itself, as rows of one window. */

import { open } from 'bcc-bindings'
import t from 'tap'
import { objectPath } from '../../../probe/kernel/load.ts'
import { RttSums } from '../../../probe/read/rtt_sums.ts'
import { roomForSums } from '../../../probe/signals/rtt.ts'
import { bucketOf, lowest } from '../../../wire/count/histogram.ts'
import { numberOf, viewOf } from '../../../wire/layout.ts'

const object = open(objectPath())
t.teardown(() => object.close())
const sums = object.layout('tcp_total_sums')
const at = (name: string) => sums.fields.find(field => field.name === name)!.offset
const stride = Math.ceil(sums.size / 8) * 8
const CPUS = 2
const MINUTE = 60_000_000_000n

/** A kernel with one cgroup, on two CPUs. */
class Kernel {
  forgotten = 0
  readonly layout = (name: string) => object.layout(name)
  readonly values = Buffer.alloc(CPUS * stride)
  readonly #key: Buffer
  #window = 0

  constructor() {
    const key = object.layout('tcp_total_key')
    this.#key = Buffer.alloc(key.size)
    for (const [name, value] of Object.entries({ cgroup: 7, hierarchy: 1, netns: 9, role: 2 }))
      this.#key.writeUInt32LE(value, key.fields.find(field => field.name === name)!.offset)
  }

  /** What add_sample() does. */
  sample(cpu: number, us: number, bucket = bucketOf(us)): void {
    const base = cpu * stride
    const add = (place: number, more: bigint) =>
      this.values.writeBigUInt64LE(BigInt.asUintN(64, this.values.readBigUInt64LE(place) + more), place)
    const side = (this.#window & 1) * 4
    const isNew = this.values.readUInt32LE(base + at('range_window') + side) !== this.#window
    const max = isNew ? 0 : this.values.readUInt32LE(base + at('range_max_us') + side)
    const min = max === 0 ? us : this.values.readUInt32LE(base + at('range_min_us') + side)
    this.values.writeUInt32LE(this.#window, base + at('range_window') + side)
    this.values.writeUInt32LE(Math.min(min, us), base + at('range_min_us') + side)
    this.values.writeUInt32LE(Math.max(max, us), base + at('range_max_us') + side)
    add(base + at('rtt_sum_us'), BigInt(us))
    add(base + at('rtt_squares_us2'), BigInt(us) ** 2n)
    const place = base + at('bucket') + bucket * 4
    this.values.writeUInt32LE((this.values.readUInt32LE(place) + 1) >>> 0, place)
  }

  totals() {
    this.#window++
    return [{ keys: this.#key, values: Buffer.from(this.values), count: 1 }]
  }

  forgetTotals(): void {
    this.forgotten++
  }
}

function read(totals: RttSums, endNs = 0n) {
  return Object.fromEntries(
    totals
      .rows(endNs)
      .map(({ layout, bytes }) => [
        layout.name,
        Array.from({ length: bytes.length / layout.size }, (_, row) =>
          Object.fromEntries(
            layout.fields
              .filter(({ type }) => type !== 'bytes')
              .map(({ name }) => [name, numberOf(layout, name)(viewOf(bytes), row * layout.size)]),
          ),
        ),
      ]),
  )
}

t.test('what each window adds, over all CPUs, with its own range', async t => {
  const kernel = new Kernel()
  const totals = new RttSums(kernel)
  kernel.sample(0, 100)
  kernel.sample(1, 20)
  kernel.sample(1, 20)
  t.match(read(totals), {
    tcp_total: [
      {
        ...{ cgroup: 7, hierarchy: 1, netns: 9, role: 2, rtt_samples: 3, rtt_sum_us: 140 },
        ...{ rtt_squares_us2: 10_800, rtt_min_us: 20, rtt_max_us: 100 },
      },
    ],
    rtt_bucket: [
      { bucket: bucketOf(20), samples: 2, cgroup: 7 },
      { bucket: bucketOf(100), samples: 1, role: 2 },
    ],
  })
  t.same(read(totals), {}, 'and nothing when nothing came')
  kernel.sample(0, 50)
  t.match(read(totals), { tcp_total: [{ rtt_samples: 1, rtt_min_us: 50, rtt_max_us: 50, rtt_sum_us: 50 }] })
})

t.test('sums that wrap around, and a sample that was read in the middle', async t => {
  const kernel = new Kernel()
  const totals = new RttSums(kernel)
  kernel.values.writeBigUInt64LE(2n ** 64n - 10n, at('rtt_sum_us'))
  kernel.values.writeUInt32LE(2 ** 32 - 1, at('bucket') + 40 * 4)
  read(totals)
  kernel.sample(0, 30, 40)
  t.match(read(totals), { tcp_total: [{ rtt_samples: 1, rtt_sum_us: 30 }] })
  kernel.values.writeBigUInt64LE(kernel.values.readBigUInt64LE(at('rtt_sum_us')) + 77n, at('rtt_sum_us'))
  t.same(read(totals), {}, 'a sum whose sample is not counted yet waits for it')
  const place = at('bucket') + 70 * 4
  kernel.values.writeUInt32LE(1, place)
  t.match(read(totals), { tcp_total: [{ rtt_samples: 1, rtt_sum_us: 77 }] })
})

t.test('what is silent for a minute is forgotten on both sides', async t => {
  const kernel = new Kernel()
  const totals = new RttSums(kernel)
  kernel.sample(0, 100, 60)
  read(totals, 0n)
  read(totals, MINUTE)
  t.equal(kernel.forgotten, 0)
  read(totals, MINUTE + 1n)
  t.equal(kernel.forgotten, 1)
  t.match(read(totals), { tcp_total: [{ rtt_samples: 1 }] }, 'and begins anew')
})

t.test('the room for sums is bounded by memory, and never nothing', async t => {
  t.ok(roomForSums(sums.size) >= 512 && roomForSums(sums.size) <= 4096)
  t.equal(roomForSums(2 ** 30), 512)
  t.equal(roomForSums(8), 4096)
})

t.test('a range that was not read with its samples is that of their buckets', async t => {
  const kernel = new Kernel()
  const totals = new RttSums(kernel)
  for (const us of [100, 5000]) kernel.sample(0, us)
  kernel.values.writeUInt32LE(0, at('range_max_us'))
  const [low, high] = [bucketOf(100), bucketOf(5000)]
  t.match(read(totals), {
    tcp_total: [{ rtt_min_us: lowest(low), rtt_max_us: lowest(high + 1) - 1, rtt_samples: 2 }],
  })
  kernel.sample(1, 300)
  kernel.sample(0, 2 ** 31)
  kernel.values.writeUInt32LE(7, at('range_min_us') + 4 + stride)
  t.match(
    read(totals),
    { tcp_total: [{ rtt_min_us: Math.ceil(lowest(bucketOf(300))), rtt_max_us: 2 ** 31 }] },
    'a smallest one of no bucket',
  )
})
