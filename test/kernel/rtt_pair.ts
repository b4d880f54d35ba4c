/** Clients and servers with a wire between them, and what the probe and the kernel say of their round trips. */

import { bootTime } from 'bcc-bindings'
import type { Test } from 'tap'
import { Histogram } from '../../wire/count/histogram.ts'
import type { RttBucket, TcpTotal } from '../../wire/records.ts'
import { loadBinary } from '../harness/binary.ts'
import { link } from '../harness/delay.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { CLIENT, netnsOf, SERVER, type SumRow, Watch } from '../harness/watch.ts'
import { type Callbacks, RTT_CB_FLAG, readCallbacks } from './bpf/callback.ts'

export const ROLES = [CLIENT, SERVER] as const

/** A client and a server, each in a network namespace of its own, joined by a wire for each delay. */
export interface Pair {
  readonly netns: readonly [client: string, server: string]
  readonly client: Child
  /** Of the server, one for each delay. */
  readonly addresses: readonly string[]
}

export async function stage(t: Test, ...delays: number[]): Promise<Pair> {
  const [near, far] = [await createNetns(), await createNetns()]
  t.teardown(() => near.close())
  t.teardown(() => far.close())
  const load = async (netns: string, ...words: string[]) => {
    const child = start(inNetns(netns, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  const addresses = delays.map((_, index) => `10.9.${index}.2`)
  for (const [index, rttMs] of delays.entries()) {
    const ends = { nsA: near.path, nsB: far.path, addrA: `10.9.${index}.1`, addrB: addresses[index]! }
    const wire = await link({ ...ends, rttMs })
    t.teardown(() => wire.close())
  }
  const server = await load(far.path, 'server', '0.0.0.0', '8000')
  await server.line(/listening/)
  return { netns: [near.path, far.path], client: await load(near.path, 'client'), addresses }
}

/** The probe looks for samples: without another program that asks for them, the kernel calls nobody. */
export const ASKS = { ownFlags: RTT_CB_FLAG }

export async function callbacks(
  t: Test,
  pairs: readonly Pick<Pair, 'netns'>[],
  options = {},
): Promise<Callbacks> {
  const read = await readCallbacks(options)
  t.teardown(() => read.close())
  for (const netns of pairs.flatMap(({ netns }) => netns)) read.watch(netns)
  return read
}

export async function watch(t: Test, options = {}): Promise<Watch> {
  const seen = await Watch.start(options)
  t.teardown(() => seen.close())
  return seen
}

export const openEach = async (t: Test, { client, addresses }: Pair, count: number) => {
  for (const address of addresses)
    t.match(await client.ask(`open ${count} ${address} 8000`), { opened: count })
}

/** The window in which this was asked has ended. */
export async function ended(seen: Watch): Promise<void> {
  const now = bootTime()
  while ((await seen.windowEnd()).endNs <= now);
}

/** Every echo is acknowledged, and the last window with a sample of it has ended. */
export async function settled(seen: Watch, pairs: readonly Pair[]): Promise<void> {
  for (const netns of pairs.flatMap(({ netns }) => netns))
    await until('the last acknowledgement', async () =>
      (await ss({ netns })).every(({ bytesAcked, bytesReceived }) => bytesAcked >= bytesReceived),
    )
  await ended(seen)
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** What the probe says of all samples of a network namespace and role. */
export function distribution(
  { totals, buckets }: Pick<Watch, 'totals' | 'buckets'>,
  netns: string,
  role: number,
) {
  const inode = netnsOf(netns)
  const own = <R extends SumRow<TcpTotal> | SumRow<RttBucket>>(rows: readonly R[]) =>
    rows.filter(row => row.netns === inode && row.role === role)
  const histogram = new Histogram()
  const sampled = own(totals).filter(row => row.rtt_samples > 0)
  for (const row of sampled)
    histogram.addTotals(
      row.rtt_samples,
      row.rtt_sum_us * 1000,
      row.rtt_squares_us2,
      row.rtt_min_us,
      row.rtt_max_us,
    )
  for (const { bucket, samples } of own(buckets)) histogram.addBucket(bucket, samples)
  return { histogram, rows: sampled, bucketed: sum(own(buckets).map(({ samples }) => samples)) }
}
