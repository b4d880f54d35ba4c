import t, { type Test } from 'tap'
import { needs } from '../harness/skip.ts'
import { ss } from '../harness/ss.ts'
import { CLIENT, type Watch } from '../harness/watch.ts'
import type { Callbacks } from './bpf/callback.ts'
import {
  ASKS,
  callbacks,
  distribution,
  openEach,
  type Pair,
  ROLES,
  settled,
  stage,
  sum,
  watch,
} from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss') }
const [PREDATES, SAMPLED] = [1, 8]
const least = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0)
/** Nearest rank. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * sorted.length) - 1]!

/** The probe's distribution is that of the samples which the other program has seen. */
function checkDistribution(t: Test, seen: Watch, read: Callbacks, netns: string, role: number, who: string) {
  const samples = read.samples(netns).sort((a, b) => a - b)
  const { histogram, bucketed } = distribution(seen, netns, role)
  t.ok(samples.length > 0, `${who}: ${samples.length} samples`)
  t.equal(histogram.count, samples.length, `${who}: each counted, once`)
  t.equal(bucketed, samples.length, `${who}: and in a bucket`)
  t.equal(histogram.sum, sum(samples), `${who}: sum, and so the mean`)
  t.equal(histogram.squares, sum(samples.map(us => us * us)), `${who}: squares`)
  t.equal(histogram.min, samples[0], `${who}: min`)
  t.equal(histogram.max, samples.at(-1), `${who}: max`)
  for (const share of [0.5, 0.95, 0.99]) {
    const [told, exact] = [histogram.quantile(share)!, quantile(samples, share)]
    const error = Math.abs(told / exact - 1)
    t.ok(error <= 0.05, `${who}: p${share * 100} of ${exact} us is ${(error * 100).toFixed(1)} % off`)
  }
}

/** Each flow, when it closes, has the samples of its socket. */
function checkFlows(t: Test, seen: Watch, read: Callbacks, netns: string, role: number, who: string) {
  const flows = Map.groupBy(
    seen.in(netns).filter(row => row.role === role),
    ({ cookie }) => cookie,
  )
  const told = [...flows.values()].map(rows => ({
    samples: rows.at(-1)!.rtt_samples,
    sum: rows.at(-1)!.rtt_sum_us,
    least: rows.at(-1)!.rtt_min_us,
    most: rows.at(-1)!.rtt_max_us,
  }))
  const exact = [...flows.values()].map(([row]) => {
    const samples = read.samples(
      netns,
      ({ local_port, remote_port }) => local_port === row!.local_port && remote_port === row!.remote_port,
    )
    return { samples: samples.length, sum: sum(samples), least: least(samples), most: most(samples) }
  })
  t.same(told, exact, `${who}: and each flow has its own`)
  t.ok(
    [...flows.values()].every(rows => rows.at(-1)!.flags & SAMPLED),
    `${who}: and says so`,
  )
}

function check(t: Test, seen: Watch, read: Callbacks, { netns }: Pair, what: string): void {
  for (const [index, role] of ROLES.entries())
    checkDistribution(t, seen, read, netns[index]!, role, `${what}, ${role === CLIENT ? 'client' : 'server'}`)
}

/** Closed, a flow tells what its updates left out. */
async function close(t: Test, seen: Watch, read: Callbacks, pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map(({ client }) => client.ask('close')))
  await settled(seen, pairs)
  for (const { netns } of pairs)
    for (const [index, role] of ROLES.entries())
      checkFlows(t, seen, read, netns[index]!, role, `${netns[index]}`)
}

/** The other program has its samples from sock_ops: asked for by itself, or by the probe. */
const WAYS = [
  { way: 'looks at calls', options: {}, asks: ASKS },
  { way: 'looks at segments', options: { rtt: 'samples' }, asks: ASKS },
  { way: 'sock_ops, as before Linux 6.3', options: { without: ['use', 'rtt_looks'] }, asks: {} },
] as const

for (const { way, options, asks } of WAYS) {
  t.test(`over 1, 5, 20, 100 ms, and over 5 and 100 at once: every sample; ${way}`, real, async t => {
    const delays = [[1], [5], [20], [100], [5, 100]]
    const pairs = await Promise.all(delays.map(own => stage(t, ...own)))
    const read = await callbacks(t, pairs, asks)
    const seen = await watch(t, options)
    const work = delays.map(async (own, index) => {
      const pair = pairs[index]!
      await openEach(t, pair, 6)
      await pair.client.ask(`echo ${Math.ceil(1200 / Math.max(...own, 10))} 300`)
    })
    await Promise.all(work)
    await settled(seen, pairs)
    for (const [index, own] of delays.entries()) {
      check(t, seen, read, pairs[index]!, `${own.join(' and ')} ms`)
      const { histogram } = distribution(seen, pairs[index]!.netns[0], CLIENT)
      t.ok(histogram.min! >= own[0]! * 1000, 'none is shorter than the wire')
    }
    const { histogram } = distribution(seen, pairs.at(-1)!.netns[0], CLIENT)
    t.ok(histogram.quantile(0.1)! < 100_000 && histogram.quantile(0.9)! >= 100_000, 'the mix has both')
    await close(t, seen, read, pairs)
    t.same(seen.kernel.lost(), {})
  })

  t.test(`a connection that carries nothing has the sample of its handshake; ${way}`, real, async t => {
    const pair = await stage(t, 5)
    const read = await callbacks(t, [pair], asks)
    const seen = await watch(t, options)
    await openEach(t, pair, 7)
    await settled(seen, [pair])
    check(t, seen, read, pair, 'no data')
    for (const netns of pair.netns) t.equal(read.samples(netns).length, 7, 'one each')
    await close(t, seen, read, [pair])
    check(t, seen, read, pair, 'closed')
  })

  t.test(`connections older than the probe, and those of an older listener; ${way}`, real, async t => {
    const pair = await stage(t, 5)
    const read = await callbacks(t, [pair], asks)
    await openEach(t, pair, 4)
    await pair.client.ask('echo 3 100')
    const seen = await watch(t, options)
    read.forget() // what another probe on this machine may have asked for
    await pair.client.ask('echo 10 100')
    await openEach(t, pair, 2)
    await settled(seen, [pair])
    const isAsked = ![...seen.kernel.unavailable.keys()].some(({ name }) => name === 'older_rtt')
    t.comment(`this kernel ${isAsked ? 'takes' : 'refuses'} the wish for older sockets`)
    const rows = seen.in(pair.netns[0])
    const older = rows.filter(row => row.flags & PREDATES)
    t.ok(older.length >= 4 && older.every(row => row.rtt_us > 0))
    if (isAsked) check(t, seen, read, pair, 'older')
    else t.ok(older.every(row => !(row.flags & SAMPLED) && row.rtt_samples === 0))
  })
}

t.test('without samples the smoothed RTT is all there is', real, async t => {
  const pair = await stage(t, 5)
  const seen = await watch(t, { rtt: 'smoothed' })
  await openEach(t, pair, 3)
  await pair.client.ask('echo 5 100')
  await settled(seen, [pair])
  for (const [index, role] of ROLES.entries()) {
    const netns = pair.netns[index]!
    const rows = seen.in(netns)
    t.equal(new Set(rows.map(({ cookie }) => cookie)).size, 3)
    t.same(
      rows.filter(row => row.flags & SAMPLED || row.rtt_samples || row.rtt_sum_us || row.rtt_max_us),
      [],
    )
    t.same(distribution(seen, netns, role).rows, [])
    const sockets = new Map((await ss({ netns })).map(socket => [socket.cookie, socket.rttMs! * 1000]))
    const last = rows.filter(({ window }) => window === rows.at(-1)!.window)
    for (const { cookie, rtt_us } of last) t.equal(rtt_us, sockets.get(cookie))
  }
})
