/** The measurements of containers and pods, against what the programs did and what the kernel says of it. */

import t, { type Test } from 'tap'
import { Fold } from '../../collector/fold/fold.ts'
import { shortId } from '../../collector/fold/names.ts'
import { decoder } from '../../collector/fold/records/decoder.ts'
import { type FlowSums, Group } from '../../wire/count/flow_sums.ts'
import type { Histogram } from '../../wire/count/histogram.ts'
import { needs } from '../harness/skip.ts'
import { opens } from '../harness/snmp.ts'
import { openSite } from '../harness/sockflux.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { RTT_CB } from '../kernel/bpf/callback.ts'
import { client, serve, startPair } from './pair.ts'
import {
  BULK,
  ECHO,
  hostOpened,
  MEGABYTES_100,
  type Recording,
  type Row,
  type Stage,
  stage,
  type Written,
  work,
  written,
} from './two_pods.ts'

const skip = needs('root', 'bpf', 'netns', 'tun', 'gcc', 'ss', 'containerd')
const ROLES = ['client', 'server'] as const
type Role = (typeof ROLES)[number]

const number = (value: unknown): number => Number(value)
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
t.test('100 MB, lost connections and round trips of two pods, in every measurement', { skip }, async t => {
  const on = await stage(t)
  const { pair, site, recording } = on
  const { shop, cart, node } = pair
  await serve(node, cart.pod.containers.main, '0.0.0.0', String(BULK))
  await serve(node, cart.pod.containers.idle, cart.address, String(ECHO))
  const before = await opens(shop.pod.netns, cart.pod.netns)
  const tookMs = await work(t, pair)
  const growth = (await opens(shop.pod.netns, cart.pod.netns)) - before
  const rows = await written(site, windowNow() + 1)
  await checkTraffic(t, rows, on)
  await checkTcp(t, rows, on, growth)
  await checkSamples(t, rows, on)
  await checkPods(t, rows, on)
  await checkConnect(t, rows, on, tookMs)
  checkFold(t, recording)
  t.same(await site.losses(), {}, 'nothing was lost')
})

/** The counters of a container at the end; with a role, of that role. */
async function counters(rows: Written, measurement: string, { ids }: Stage, who: string, role?: Role) {
  const own = (await rows(measurement)).filter(
    row => row['container'] === ids.get(who) && (role === undefined || row['role'] === role),
  )
  return own.at(-1) ?? {}
}

async function checkTraffic(t: Test, rows: Written, on: Stage): Promise<void> {
  for (const who of ['shop main', 'cart main']) {
    const { bytes_sent, bytes_rcvd } = await counters(rows, 'container:traffic', on, who)
    t.same([bytes_sent, bytes_rcvd], [MEGABYTES_100, MEGABYTES_100], `100 MB each way of ${who}`)
  }
  const bytes = { bytes_sent: 40_000, bytes_rcvd: 40_000 }
  t.match(await counters(rows, 'container:traffic', on, 'shop idle'), bytes)
}

async function checkTcp(t: Test, rows: Written, on: Stage, growth: number): Promise<void> {
  const of = (who: string, role: Role) => counters(rows, 'container:tcp', on, who, role)
  const none = { failed: 0, resets_sent: 0, resets_rcvd: 0 }
  t.match(await of('shop main', 'client'), { ...none, opened: 8, closed: 8 })
  t.match(await of('cart main', 'server'), { ...none, opened: 8, closed: 8 })
  t.match(await of('shop idle', 'client'), {
    opened: 8,
    closed: 8,
    failed: 3,
    resets_sent: 5,
    resets_rcvd: 3,
  })
  t.match(await of('cart idle', 'server'), { ...none, opened: 7, closed: 7, resets_rcvd: 5 })
  let opened = hostOpened(on)
  t.equal(opened, 2, 'a process of the host is in no container, wherever its network is')
  for (const who of on.ids.keys())
    for (const role of ROLES) opened += number((await of(who, role))['opened'] ?? 0)
  t.equal(opened, growth, 'containers and host have opened what the kernel says')
}

/** Where each container's samples are among all of its network namespace. Of bulk a few may be missed. */
const ENDS = [
  { who: 'shop main', end: 'shop', role: 'client', port: BULK, least: 0.99 },
  { who: 'cart main', end: 'cart', role: 'server', port: BULK, least: 0.99 },
  { who: 'cart idle', end: 'cart', role: 'server', port: ECHO, least: 1 },
] as const

async function checkSamples(t: Test, rows: Written, { read, pair, ids }: Stage): Promise<void> {
  const all = await rows('container:rtt_dist')
  for (const { who, end, role, port, least } of ENDS) {
    const samples = read.samples(pair[end].pod.netns, ({ local_port, remote_port }) =>
      role === 'client' ? remote_port === port : local_port === port,
    )
    const own = all.filter(row => row['container'] === ids.get(who) && row['role'] === role)
    const found = sum(own.map(({ samples }) => number(samples)))
    const share = found / samples.length
    t.ok(share >= least && share <= 1, `${who}: ${found} of ${samples.length} samples`)
    const told = sum(own.map(row => number(row['samples']) * number(row['mean']))) / found
    const exact = sum(samples) / 1000 / samples.length
    t.ok(Math.abs(told / exact - 1) < (least < 1 ? 0.02 : 1e-9), `${who}: mean`, { told, exact })
    if (least === 1) {
      t.equal(Math.min(...own.map(({ min }) => number(min))), Math.min(...samples) / 1000, `${who}: min`)
      t.equal(Math.max(...own.map(({ max }) => number(max))), Math.max(...samples) / 1000, `${who}: max`)
    }
    t.ok(
      own.every(row => row['smoothed_flows'] === 0),
      `${who}: none is smoothed`,
    )
    for (const row of own) {
      const rising = ['min', 'p50', 'p95', 'p99', 'max'].map(name => number(row[name]))
      t.same(
        rising,
        rising.toSorted((a, b) => a - b),
        `${who}: percentiles rise`,
      )
    }
  }
}

/** A pod is the sum of its containers, window by window. */
async function checkPods(t: Test, rows: Written, { pair }: Stage): Promise<void> {
  const names = [pair.shop, pair.cart].map(({ pod }) => pod.name)
  const containers = await rows('container:rtt_dist')
  const pods = (await rows('pod:rtt_dist')).filter(({ pod }) => names.includes(String(pod)))
  t.ok(pods.length > 0)
  for (const pod of pods) {
    const { pod: name, second, role } = pod
    const own = containers.filter(
      row => row['pod'] === name && row['second'] === second && row['role'] === role,
    )
    const of = (field: string) => own.map(row => number(row[field]))
    const samples = of('samples')
    const total = sum(samples.map((count, index) => count * of('mean')[index]!))
    const what = `${name} as ${role} at ${second}`
    t.equal(pod['samples'], sum(samples), `${what}: samples of ${own.length} containers`)
    t.ok(Math.abs((number(pod['samples']) * number(pod['mean'])) / total - 1) < 1e-9, `${what}: mean`)
    t.same([pod['min'], pod['max']], [Math.min(...of('min')), Math.max(...of('max'))], `${what}: range`)
  }
  for (const { pod } of [pair.shop, pair.cart]) {
    const last = (await rows('pod:traffic')).filter(row => row['pod'] === pod.name).at(-1)!
    const all = await rows('container:traffic')
    const parts = Object.values(pod.containers).map(({ id }) =>
      all.filter(row => row['container'] === shortId(id)).at(-1),
    )
    for (const field of ['bytes_sent', 'bytes_rcvd', 'packets_sent', 'packets_rcvd'])
      t.equal(last[field], sum(parts.map(part => number(part?.[field] ?? 0))), `${pod.name}: ${field}`)
  }
}

async function checkConnect(t: Test, rows: Written, on: Stage, tookMs: number): Promise<void> {
  const { read, pair, ids } = on
  const handshakes = new Map<number, number>()
  for (const { local_port, remote_port, op, arg } of read.in(pair.shop.pod.netns))
    if (op === RTT_CB && remote_port === ECHO && !handshakes.has(local_port)) handshakes.set(local_port, arg)
  const leastMs = Math.min(...handshakes.values()) / 1000
  const own = (await rows('container:connect')).filter(row => row['container'] === ids.get('shop idle'))
  t.ok(own.length > 0 && leastMs >= 20, `${own.length} windows in which it connected over ${leastMs} ms`)
  for (const row of own) {
    const [mean, p95, max] = ['mean', 'p95', 'max'].map(name => number(row[name])) as [number, number, number]
    t.ok(mean >= 0.99 * leastMs && max <= tookMs, `${mean} ms to connect, ${leastMs} ms by the handshake`)
    t.ok(mean <= max && p95 <= max && p95 >= 0.95 * leastMs, `p95 ${p95}, max ${max}`)
  }
}

/** What the collector makes of all messages: pods are the sum of containers; these and the host are everything. */
function checkFold(t: Test, { messages }: Recording): void {
  const [fold, everything] = [new Fold(), new Fold()]
  const nobody = { cgroups: {}, containers: {}, pods: {} }
  for (const message of messages) {
    if (!('parts' in message)) continue
    for (const { layout, bytes } of message.parts) {
      fold.add(bytes, decoder(layout), message.names)
      everything.add(bytes, decoder(layout), nobody)
    }
  }
  const parts = new Group()
  for (const container of fold.containers.values()) parts.add(container)
  parts.add(fold.host)
  for (const role of ROLES) t.same(plain([parts[role]]), plain([everything.host[role]]), `all as ${role}`)
  const pods = [...fold.pods().values()]
  t.ok(pods.length >= 2)
  for (const pod of pods)
    for (const role of ROLES) {
      const own = [...fold.containers.values()].filter(({ name }) => name.pod === pod.uid)
      t.same(plain([pod[role]]), plain(own.map(container => container[role])), `${pod.name.name} as ${role}`)
    }
}

/** The sum, bucket by bucket, of what adds up. */
function plain(totals: readonly FlowSums[]) {
  const of = (pick: (totals: FlowSums) => Histogram | undefined) => {
    const histograms = totals.flatMap(own => pick(own) ?? [])
    const buckets: Record<number, number> = {}
    for (const histogram of histograms)
      for (const [bucket, count] of histogram.buckets()) buckets[bucket] = (buckets[bucket] ?? 0) + count
    const count = sum(histograms.map(({ count }) => count))
    const ns = sum(histograms.map(({ sum }) => Math.round(sum * 1000)))
    return { buckets, bucketed: sum(Object.values(buckets)), count, ns }
  }
  return {
    rtt: of(({ rtt }) => rtt),
    connect: of(({ connect }) => connect),
    flows: sum(totals.map(({ flows }) => flows)),
    opened: sum(totals.map(({ opened }) => opened)),
    bytes: sum(totals.map(({ bytesSent, bytesRcvd }) => bytesSent + bytesRcvd)),
  }
}

t.test('--rtt smoothed: each flow is one sample, and the distribution says so', { skip }, async t => {
  const pair = await startPair({ rttMs: 20 })
  t.teardown(() => pair.close())
  const { node, shop, cart } = pair
  const site = await openSite()
  t.teardown(() => site.close())
  await serve(node, cart.pod.containers.main, cart.address, String(ECHO))
  const talk = client(node, shop.pod.containers.main)
  await site.collector()
  await site.probe(['--rtt', 'smoothed', '--containerd-state', node.containerd.stateDir])
  await earlyInWindow()
  await earlyInWindow()
  t.match(await talk.ask(`open 5 ${cart.address} ${ECHO}`), { opened: 5 })
  t.match(await talk.ask('echo 3 100'), { echoed: 15 })
  const rows = await written(site, windowNow() + 1)
  for (const [{ pod }, role] of [
    [shop, 'client'],
    [cart, 'server'],
  ] as const) {
    const own = (row: Row) => row['container'] === shortId(pod.containers.main.id)
    const means = new Map((await rows('container:rtt')).filter(own).map(row => [row['second'], row]))
    const all = (await rows('container:rtt_dist')).filter(own)
    t.equal(Math.max(...all.map(({ samples }) => number(samples))), 5, `five flows as ${role}`)
    for (const row of all) {
      t.equal(row['role'], role)
      t.equal(row['smoothed_flows'], row['samples'])
      const mean = number(means.get(row['second'])?.[`as_${role}`])
      t.ok(Math.abs(number(row['mean']) / mean - 1) < 1e-9, `the mean is that of the flows: ${mean} ms`)
    }
  }
})
