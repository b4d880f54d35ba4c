/** Why a flow is slow: each cause raises its own numbers and no others, and they are those of ss. */

import t, { type Test } from 'tap'
import { HEALTH_GROUPS } from '../../probe/signals/health_groups.ts'
import { type Actor, type Socket, startActor } from '../harness/actor.ts'
import { link } from '../harness/delay.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { type SsSocket, ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { type HealthRow, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const [NEAR, FAR] = ['10.77.0.1', '10.77.0.2']
const [ECONNREFUSED, ETIMEDOUT, ENETUNREACH] = [111, 110, 101]

type Seen = Awaited<ReturnType<typeof watch>>

async function watch(t: Test, options = {}) {
  const watch = await Watch.start({ health: HEALTH_GROUPS, ...options })
  t.teardown(() => watch.close())
  const ofFlow = <R extends { readonly cookie: string }>(rows: readonly R[], cookie: string) =>
    rows.filter(row => row.cookie === cookie)
  return {
    watch,
    /** All windows that have ended. */
    health: (cookie: string) => ofFlow(watch.health, cookie),
    flow: (cookie: string) => ofFlow(watch.rows, cookie),
  }
}

/** Two network namespaces joined by a wire, a process in each. */
async function ends(t: Test, options: { rttMs: number; dropEvery?: number; swapEvery?: number }) {
  const [near, far] = [await createNetns('near'), await createNetns('far')]
  t.teardown(() => near.close())
  t.teardown(() => far.close())
  const wire = await link({ nsA: near.path, nsB: far.path, addrA: NEAR, addrB: FAR, ...options })
  t.teardown(() => wire.close())
  const [client, server] = [await startActor(near.path), await startActor(far.path)]
  t.teardown(() => client.close())
  t.teardown(() => server.close())
  return { near: near.path, far: far.path, client, server, wire }
}
type Ends = Awaited<ReturnType<typeof ends>>

async function connected({ client, server, near, far }: Ends) {
  const listener = await server.socket(`listen ${FAR} 8000`)
  const socket = await client.socket(`connect ${FAR} 8000`)
  const accepted = await server.socket(`accept ${listener.fd}`)
  const one = async (netns: string, local: number): Promise<SsSocket> =>
    (await ss({ netns })).find(each => each.local.port === local)!
  const cookies = [await one(near, socket.port), await one(far, 8000)].map(({ cookie }) => cookie)
  return {
    socket,
    accepted,
    sender: cookies[0]!,
    receiver: cookies[1]!,
    ofSender: () => one(near, socket.port),
    ofReceiver: () => one(far, 8000),
  }
}

const COUNTED = [
  'receiver_us',
  'sndbuf_us',
  'timeouts',
  'recoveries',
  'stalled_us',
  'syn_resent',
  'spurious',
  'out_of_order',
  'ecn_marks',
] as const
type Counted = (typeof COUNTED)[number]

const total = <K extends string>(rows: readonly Record<K, number>[], field: K) =>
  rows.reduce((sum, row) => sum + row[field], 0)

/** The counters that have risen. */
const raised = (rows: readonly HealthRow[]): Counted[] => COUNTED.filter(name => total(rows, name) > 0)

/** Counters of a flow that nothing changes any more are those of ss. @param by milliseconds that ss cuts off */
function isAsInSs(t: Test, seen: Seen, cookie: string, told: SsSocket, by = 1): void {
  const [rows, flow] = [seen.health(cookie), seen.flow(cookie)]
  const isNear = (us: number, ms: number, what: string) =>
    t.ok(Math.abs(us / 1000 - ms) <= by, `${what}: ${us / 1000} ms as ${ms} ms of ss`)
  isNear(total(flow, 'busy_us'), told.busyMs, 'busy')
  isNear(total(rows, 'receiver_us'), told.receiverMs, 'rwnd_limited')
  isNear(total(rows, 'sndbuf_us'), told.sndbufMs, 'sndbuf_limited')
  t.equal(total(rows, 'out_of_order'), told.outOfOrder, 'rcv_ooopack')
  t.equal(total(rows, 'spurious'), told.spurious, 'dsack_dups')
  t.equal(total(flow, 'data_segs_sent'), told.dataSegsSent, 'data_segs_out')
  t.equal(total(flow, 'data_segs_rcvd'), told.dataSegsReceived, 'data_segs_in')
  t.equal(flow.at(-1)!.min_rtt_us, Math.round(told.minRttMs * 1000), 'minrtt')
  t.ok(flow.every(({ known }) => known === 63))
}

/** Sends it all, and nothing is outstanding. */
async function carried(client: Actor, server: Actor, from: Socket, to: Socket, bytes: number): Promise<void> {
  const sending = client.do(`send ${from.fd} ${bytes}`)
  await server.do(`receive ${to.fd} ${bytes}`)
  await sending
}

t.test('each cause', real, async t => {
  t.jobs = 8
  const seen = await watch(t)
  const { watch: windows } = seen

  t.test('a receiver that sleeps: its window, and what it has not read', async t => {
    const both = await ends(t, { rttMs: 2 })
    const { socket, accepted, sender, receiver, ofSender, ofReceiver } = await connected(both)
    const sending = both.client.do(`send ${socket.fd} 20000000`)
    await windows.windowEnd()
    await windows.windowEnd()
    const [queue, last] = [(await ofReceiver()).receiveQueue, seen.health(receiver).at(-1)!]
    t.ok(queue > 0 && last.unread === queue, `${last.unread} unread, ${queue} in ss`)
    t.ok(seen.health(sender).at(-1)!.unsent > 0, 'the sender has more to send')
    t.equal(seen.health(sender).at(-1)!.in_flight, 0, 'and may not')
    await both.server.do(`receive ${accepted.fd} 20000000`)
    await sending
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    isAsInSs(t, seen, sender, await ofSender())
    isAsInSs(t, seen, receiver, await ofReceiver())
    const rows = seen.health(sender)
    t.ok(total(rows, 'receiver_us') > 1_000_000, 'more than a second')
    t.ok(total(rows, 'sndbuf_us') < total(rows, 'receiver_us') / 2)
    t.strictSame(
      raised(rows).filter(name => !/_us$|spurious/.test(name)), // a tail loss probe may be spurious
      [],
    )
    t.strictSame(raised(seen.health(receiver)), [])
    const quiet = seen.health(sender).filter(({ window }) => window > windows.ended.at(-1)!.index)
    t.strictSame(quiet, [], 'a flow that has nothing to tell has no row')
  })

  t.test('a small send buffer', async t => {
    const both = await ends(t, { rttMs: 50 })
    const { socket, accepted, sender, receiver, ofSender } = await connected(both)
    await both.client.do(`send-buffer ${socket.fd} 32768`)
    await carried(both.client, both.server, socket, accepted, 1_000_000)
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    isAsInSs(t, seen, sender, await ofSender())
    t.strictSame(raised(seen.health(sender)), ['sndbuf_us'])
    t.strictSame(raised(seen.health(receiver)), [])
  })

  t.test('loss', async t => {
    const both = await ends(t, { rttMs: 10, dropEvery: 20 })
    const { socket, accepted, sender, receiver, ofSender, ofReceiver } = await connected(both)
    await carried(both.client, both.server, socket, accepted, 1_000_000)
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    isAsInSs(t, seen, sender, await ofSender())
    isAsInSs(t, seen, receiver, await ofReceiver())
    t.ok(total(seen.flow(sender), 'segs_resent') > 0, 'segments were sent again')
    t.ok(raised(seen.health(receiver)).includes('out_of_order'))
    t.notMatch(raised(seen.health(sender)), ['out_of_order', 'ecn_marks'])
  })

  t.test('reordering', async t => {
    const both = await ends(t, { rttMs: 10, swapEvery: 7 })
    const { socket, accepted, sender, receiver, ofSender, ofReceiver } = await connected(both)
    await carried(both.client, both.server, socket, accepted, 1_000_000)
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    isAsInSs(t, seen, sender, await ofSender())
    isAsInSs(t, seen, receiver, await ofReceiver())
    t.strictSame(raised(seen.health(receiver)), ['out_of_order'])
    t.equal(total(seen.health(sender), 'timeouts'), 0)
  })

  t.test('a path that drops everything for a while: time-outs, until it is there again', async t => {
    const both = await ends(t, { rttMs: 2 })
    const { socket, accepted, sender, receiver } = await connected(both)
    const device = (await run(inNetns(both.far, ['ip', '-o', 'link', 'show', 'type', 'tun']))).split(': ')[1]!
    await run(inNetns(both.far, ['ip', 'link', 'set', device, 'down']))
    await both.client.do(`send ${socket.fd} 1000`)
    await windows.windowEnd()
    await windows.windowEnd()
    const stalled = seen.health(sender)
    t.ok(stalled.length >= 2 && stalled.at(-1)!.stalled_us > 0, 'it is told while it lasts')
    t.equal(stalled.at(-1)!.in_flight, 1000)
    await run(inNetns(both.far, ['ip', 'link', 'set', device, 'up']))
    await both.server.do(`receive ${accepted.fd} 1000`)
    await windows.windowEnd()
    await windows.windowEnd()
    const rows = seen.health(sender)
    t.strictSame(
      raised(rows).filter(name => name !== 'spurious'),
      ['timeouts', 'recoveries', 'stalled_us'],
    )
    t.equal(total(rows, 'recoveries'), 1, 'one after the other are one')
    t.ok(total(rows, 'timeouts') <= total(seen.flow(sender), 'segs_resent'), 'each sent something again')
    t.strictSame(raised(seen.health(receiver)), [])
  })

  t.test('a SYN into silence waits, and nothing else is said of it', async t => {
    const { near, client } = await ends(t, { rttMs: 2 })
    await run(inNetns(near, ['ip', 'route', 'add', '10.99.0.0/16', 'via', FAR]))
    const begun = await client.socket('begin 10.99.0.1 8000')
    const { cookie } = (await ss({ netns: near, filter: ['state', 'all'] })).find(
      ({ local }) => local.port === begun.port,
    )!
    for (let window = 0; window < 3; window++) await windows.windowEnd()
    await client.do(`close ${begun.fd}`)
    await windows.windowEnd()
    await windows.windowEnd()
    const waits = seen.health(cookie).filter(row => row.syn_waiting)
    t.ok(waits.length >= 3, 'it is told in each window')
    const since = waits.map(row => Number(windows.ended[row.window]!.endNs) / 1000 - row.syn_waiting_us)
    t.ok(Math.max(...since) - Math.min(...since) < 2, 'since the same moment')
    t.strictSame(raised(seen.health(cookie)), ['syn_resent'])
    t.equal(total(seen.health(cookie), 'syn_resent'), total(seen.flow(cookie), 'segs_resent'))
    t.ok(seen.health(cookie).every(({ in_flight, unsent, unread }) => in_flight + unsent + unread === 0))
    t.match(seen.flow(cookie).at(-1), { error: 0, flags: 16 }, 'its program did not wait for the end')
  })

  t.test('the reasons of failed connects', async t => {
    const { near, far, client } = await ends(t, { rttMs: 2 })
    await run(inNetns(far, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']))
    await run(inNetns(near, ['ip', 'route', 'add', '10.99.0.0/16', 'via', FAR]))
    await t.rejects(client.do(`connect ${FAR} 9999`), /ECONNREFUSED/)
    await t.rejects(client.do('connect 10.99.0.1 9998'), /ENETUNREACH/)
    await run(
      inNetns(near, ['sysctl', '-qw', 'net.ipv4.tcp_syn_retries=1', 'net.ipv4.tcp_syn_linear_timeouts=0']),
    )
    await run(inNetns(far, ['sysctl', '-qw', 'net.ipv4.ip_forward=0']))
    await t.rejects(client.do('connect 10.99.0.1 9997'), /ETIMEDOUT/)
    await windows.windowEnd()
    await windows.windowEnd()
    const errors = (port: number) =>
      windows.in(near).flatMap(row => (row.remote_port === port && row.closed_ns > 0 ? [row.error] : []))
    t.strictSame(errors(9999), [ECONNREFUSED])
    t.strictSame(errors(9998), [ENETUNREACH])
    t.strictSame(errors(9997), [ETIMEDOUT])
  })

  t.test('a delivery rate, and whether the program limits it', async t => {
    const both = await ends(t, { rttMs: 20 })
    const { socket, accepted, sender, ofSender } = await connected(both)
    await carried(both.client, both.server, socket, accepted, 1000)
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    const few = await ofSender()
    t.match(seen.health(sender).at(-1), { app_limited: 1 }, 'a small request')
    t.ok(few.isAppLimited)
    const rate = seen.health(sender).at(-1)!.delivery_rate
    t.ok(Math.abs(rate - few.deliveryRate) <= 1, `${rate} as ${few.deliveryRate} of ss`)
    await carried(both.client, both.server, socket, accepted, 3_000_000)
    await until('all is acknowledged', async () => (await ofSender()).sendQueue === 0)
    await windows.windowEnd()
    const many = await ofSender()
    const last = seen.health(sender).findLast(row => row.delivery_rate > 0)!
    t.ok(Math.abs(last.delivery_rate - many.deliveryRate) <= 1)
    t.equal(last.app_limited, Number(many.isAppLimited))
  })
})

t.test('what is not asked for is not read; what the kernel lacks is said', real, async t => {
  const seen = await watch(t, { health: ['limits', 'stalls'], without: ['timeouts'] })
  const both = await ends(t, { rttMs: 2 })
  const { socket, accepted, sender } = await connected(both)
  await carried(both.client, both.server, socket, accepted, 100_000)
  await seen.watch.windowEnd()
  const rows = seen.flow(sender)
  t.ok(rows.length > 0 && rows.every(({ known, min_rtt_us }) => known === 7 && min_rtt_us === 0))
  t.ok(seen.health(sender).every(row => row.unread + row.in_flight + row.delivery_rate === 0))
  t.strictSame(seen.watch.listeners, [])
})

t.test('SYNs are told from data that is sent again, whatever is asked for', real, async t => {
  const seen = await watch(t, { health: [] })
  const { near, client } = await ends(t, { rttMs: 2 })
  await run(inNetns(near, ['ip', 'route', 'add', '10.99.0.0/16', 'via', FAR]))
  const begun = await client.socket('begin 10.99.0.1 8000')
  const { cookie } = (await ss({ netns: near, filter: ['state', 'all'] })).find(
    ({ local }) => local.port === begun.port,
  )!
  await until('a SYN that is sent again', () => total(seen.flow(cookie), 'segs_resent') > 0)
  await client.do(`close ${begun.fd}`)
  await seen.watch.windowEnd()
  await seen.watch.windowEnd()
  t.equal(total(seen.health(cookie), 'syn_resent'), total(seen.flow(cookie), 'segs_resent'))
  t.ok(seen.health(cookie).every(({ syn_waiting }) => syn_waiting === 0))
  t.ok(seen.flow(cookie).every(({ known }) => known === 1))
})
