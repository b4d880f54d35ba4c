/** RTT samples found by looks, against those that the kernel passes to a sock_ops program, on the same sockets. */

import t, { type Test } from 'tap'
import type { KernelOptions } from '../../probe/signals/signal.ts'
import { loadBinary } from '../harness/binary.ts'
import { link } from '../harness/delay.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, run, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, netnsOf, type Watch } from '../harness/watch.ts'
import { ASKS, callbacks, distribution, ended, ROLES, sum, watch } from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'tun', 'gcc') }
const SAMPLED = 8 // enum flow_flags
const ADDRESS = '10.9.0.2'

interface Case {
  readonly what: string
  readonly options?: Partial<KernelOptions>
  readonly dropEvery?: number
  readonly sysctl?: string
  readonly mode?: string
  work(client: Child): Promise<unknown>
  /** Share of the kernel's samples that must be found; 1: each, with its value. */
  readonly least: number
}

const churn = (client: Child) => client.ask(`talk 300 ${ADDRESS} 8000`, 60_000)
const requests = async (client: Child) => {
  await client.ask(`open 8 ${ADDRESS} 8000`)
  await client.ask('echo 100 300', 60_000)
  await client.ask('close')
}

const CASES: readonly Case[] = [
  { what: 'connections of a moment', work: churn, least: 1 },
  {
    what: 'connections that are reset',
    async work(client) {
      await client.ask(`open 100 ${ADDRESS} 8000`)
      await client.ask('echo 2 100')
      await client.ask('reset')
    },
    least: 1,
  },
  { what: 'requests', work: requests, least: 1 },
  { what: 'requests without timestamps', sysctl: 'net.ipv4.tcp_timestamps=0', work: requests, least: 1 },
  { what: 'requests with loss', dropEvery: 200, work: requests, least: 0.99 },
  { what: 'connections of a moment with loss', dropEvery: 50, work: churn, least: 0.99 },
  {
    what: 'bulk, with looks at segments',
    options: { rtt: 'samples' },
    mode: 'discard',
    async work(client) {
      await client.ask(`open 2 ${ADDRESS} 8000`)
      await client.ask(`send 0 ${60 * 2 ** 20}`, 60_000)
      await client.ask('close')
    },
    least: 0.99,
  },
]

async function play(
  t: Test,
  { options = {}, dropEvery = 0, sysctl, mode = 'echo', work }: Omit<Case, 'what' | 'least'>,
) {
  const [near, far] = [await createNetns(), await createNetns()]
  for (const netns of [near, far]) {
    t.teardown(() => netns.close())
    if (sysctl !== undefined) await run(inNetns(netns.path, ['sysctl', '-qw', sysctl]))
  }
  const ends = { nsA: near.path, nsB: far.path, addrA: '10.9.0.1', addrB: ADDRESS }
  const wire = await link({ ...ends, rttMs: 1, dropEvery })
  t.teardown(() => wire.close())
  const load = async (netns: string, ...words: string[]) => {
    const child = start(inNetns(netns, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  await (await load(far.path, 'server', '0.0.0.0', '8000', '--mode', mode)).line(/listening/)
  const client = await load(near.path, 'client')
  const netns = [near.path, far.path] as const
  const read = await callbacks(t, [{ netns }], ASKS)
  const seen = await watch(t, options)
  await work(client)
  await ended(seen)
  await ended(seen)
  return { netns, read, seen }
}

const sampled = (seen: Watch, netns: string) =>
  seen.in(netns).filter(row => row.closed_ns > 0 && row.flags & SAMPLED)

for (const { what, least, ...rest } of CASES)
  t.test(what, real, async t => {
    const { netns, read, seen } = await play(t, rest)
    for (const [index, role] of ROLES.entries()) {
      const who = role === CLIENT ? 'client' : 'server'
      const own = netns[index]!
      const exact = read.samples(own).sort((a, b) => a - b)
      const { histogram } = distribution(seen, own, role)
      t.ok(exact.length > (role === CLIENT ? 30 : 0), `${who}: ${exact.length} samples`)
      if (least === 1) {
        t.equal(histogram.count, exact.length, `${who}: each`)
        t.equal(histogram.sum, sum(exact), `${who}: with its value`)
        t.equal(histogram.squares, sum(exact.map(us => us * us)), `${who}: and its square`)
        t.same([histogram.min, histogram.max], [exact[0], exact.at(-1)], `${who}: least and most`)
      } else {
        const share = histogram.count / exact.length
        t.ok(share >= least && share <= 1.001, `${who}: ${(share * 100).toFixed(2)} % of them`)
        const error = Math.abs(histogram.sum / histogram.count / (sum(exact) / exact.length) - 1)
        t.ok(error < 0.05, `${who}: their mean is ${(error * 100).toFixed(2)} % off`)
      }
    }
    t.same(seen.kernel.lost(), {})
  })

t.test('bulk, with looks at calls: the flow counts with its smoothed time, and says so', real, async t => {
  const bulk = CASES.at(-1)!
  const { netns, seen } = await play(t, { ...bulk, options: {} })
  const inode = netnsOf(netns[0])
  const rows = seen.rows.filter(row => row.netns === inode && row.bytes_sent > 0 && row.closed_ns > 0)
  t.ok(rows.length > 0)
  t.same(
    sampled(seen, netns[0]).filter(row => row.bytes_sent > 0),
    [],
    'no sender of bulk is called sampled',
  )
  t.ok(rows.every(row => row.rtt_us > 0))
})
