import t, { type Test } from 'tap'
import { loadBinary } from '../harness/binary.ts'
import { type Row, rowsOf } from '../harness/flow_rows.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { byFlow, CLIENT, kernelWith, netnsOf, passes, SERVER, tcpOf, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const sum = (rows: readonly Row[], field: 'bytes_sent' | 'bytes_rcvd' | 'segs_resent') =>
  rows.reduce((total, row) => total + row[field], 0)
const opened = (rows: readonly Row[]) => rows.filter(row => row.reported_ns === 0 && !(row.flags & 1))
const closed = (rows: readonly Row[]) => rows.filter(row => row.closed_ns > 0)

/** A network namespace of its own with the workload in it. */
async function stage(t: Test, ...servers: string[][]) {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const load = async (...words: string[]): Promise<Child> => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  for (const words of servers) await (await load('server', ...words)).line(/listening/)
  return { netns: netns.path, load, client: await load('client') }
}
async function watch(t: Test, options = {}): Promise<Watch> {
  const watch = await Watch.start(options)
  t.teardown(() => watch.close())
  return watch
}

/** Each flow gives one row to each window it lived in, and is opened once and closed once. */
function checkFlows(t: Test, rows: readonly Row[], count: number): void {
  const flows = [...byFlow(rows).values()]
  t.equal(flows.length, count, `${count} flows`)
  t.equal(opened(rows).length, count, 'each opened once')
  t.equal(closed(rows).length, count, 'each closed once')
  const gaps = flows.filter(own => {
    const windows = own.map(row => row.window).sort((a, b) => a - b)
    return windows.some((window, index) => window !== windows[0]! + index)
  })
  t.same(gaps, [], 'in every window from the first to the last, once')
  const misplaced = flows.filter(own =>
    own.some(row => row.closed_ns > 0 && own.some(other => other.window > row.window)),
  )
  t.same(misplaced, [], 'and in none after its close')
}

t.test('23 connections of a moment are 23, on both sides', real, async t => {
  const { netns, client } = await stage(t, ['127.0.0.1', '8000'])
  const seen = await watch(t)
  t.same(await client.ask('churn 23 127.0.0.1 8000'), { churned: 23 })
  await seen.windowEnd()
  await seen.windowEnd()
  const rows = seen.in(netns)
  checkFlows(
    t,
    rows.filter(row => row.role === CLIENT),
    23,
  )
  checkFlows(
    t,
    rows.filter(row => row.role === SERVER),
    23,
  )
  t.ok(rows.every(row => row.comm === 'load' && row.pid > 0))
  t.same(seen.kernel.lost(), {})
})

t.test('10,000 connections as fast as the machine can, over window boundaries', real, async t => {
  const { netns, client } = await stage(t, ['127.0.0.1', '8000', '--ports', '4', '--forks', '2'])
  const seen = await watch(t)
  // bursts with pauses, so that the load is spread over several boundaries however fast it is
  for (let burst = 0; burst < 5; burst++) {
    t.same(await client.ask('churn 2000 127.0.0.1 8000 4'), { churned: 2000 })
    await new Promise(resolve => setTimeout(resolve, 300))
  }
  await seen.windowEnd()
  await seen.windowEnd()
  const rows = seen.in(netns)
  checkFlows(
    t,
    rows.filter(row => row.role === CLIENT),
    10_000,
  )
  checkFlows(
    t,
    rows.filter(row => row.role === SERVER),
    10_000,
  )
  t.ok(new Set(rows.map(row => row.window)).size > 1, 'in several windows')
  for (const row of rows) {
    const window = seen.ended[row.window]!
    const lived =
      row.opened_ns < Number(window.endNs) && (row.closed_ns === 0 || row.closed_ns >= Number(window.startNs))
    if (!lived || (row.closed_ns > 0 && row.closed_ns >= Number(window.endNs)))
      t.match(row, {}, 'a row outside its window')
  }
  t.same(seen.kernel.lost(), {})
})

t.test('passes without a pause between them lose nothing and double nothing', real, async t => {
  const { netns, client } = await stage(t, ['127.0.0.1', '8000', '--ports', '4', '--forks', '2'])
  const records: Buffer[] = []
  const kernel = kernelWith({ maxFlows: 65_536 }, (ring, taken) => {
    if (ring === 'tcp_flow') records.push(Buffer.from(taken))
  })
  t.teardown(() => kernel.close())
  let done = false
  const reading = passes(kernel, records, () => done)
  await client.ask('open 50 127.0.0.1 8000 4')
  for (let round = 0; round < 20; round++) {
    await client.ask('churn 500 127.0.0.1 8000 4')
    await client.ask('echo 1 100')
  }
  await client.ask('close')
  const open = { netns, filter: ['state', 'connected', 'exclude', 'time-wait'] }
  await until('every connection closed', async () => (await ss(open)).length === 0)
  done = true
  const inode = netnsOf(netns)
  const rows = (await reading).filter(row => row.netns === inode)
  for (const role of [CLIENT, SERVER]) {
    const own = rows.filter(row => row.role === role)
    checkFlows(t, own, 10_050)
    t.equal(sum(own, 'bytes_sent'), 20 * 50 * 100, 'each byte sent once')
    t.equal(sum(own, 'bytes_rcvd'), 20 * 50 * 100, 'each byte received once')
  }
  t.ok(
    rows.some(row => row.window > 20),
    'over many passes',
  )
  t.same(kernel.lost(), {})
})

t.test(
  'all of a flow is told when it is new and when it closes, and what it does in between',
  real,
  async t => {
    const { netns, client } = await stage(t, ['127.0.0.1', '8000'])
    const seen = await watch(t)
    const whole = () => seen.records.flatMap(rows => rowsOf(tcpOf(seen.kernel).layout, rows, 0))
    const told = () => whole().filter(row => row.netns === netnsOf(netns)).length
    await seen.windowEnd()
    await client.ask('open 7 127.0.0.1 8000')
    await seen.windowEnd()
    t.equal(told(), 2 * 7)
    for (let window = 0; window < 2; window++) {
      await client.ask('echo 3 100')
      await seen.windowEnd()
    }
    t.equal(told(), 2 * 7, 'then there are updates')
    await client.ask('close')
    await seen.windowEnd()
    await seen.windowEnd()
    t.equal(told(), 4 * 7)
    const rows = seen.in(netns)
    checkFlows(t, rows, 2 * 7)
    t.equal(sum(rows, 'bytes_sent'), 2 * 2 * 7 * 3 * 100)
    t.equal(sum(rows, 'bytes_rcvd'), 2 * 2 * 7 * 3 * 100)
  },
)

t.test('sockets that are older than the probe have their owner and role', real, async t => {
  const { netns, client } = await stage(t, ['0.0.0.0', '8000'], ['::1', '8000'])
  await client.ask('open 7 127.0.0.1 8000')
  await client.ask('open 4 ::1 8000')
  await client.ask('echo 1 1000')
  const seen = await watch(t)
  await client.ask('open 2 127.0.0.1 8000')
  await client.ask('echo 1 10')
  const first = await seen.windowEnd()
  const second = await seen.windowEnd()
  for (const { index } of [first, second]) {
    const rows = seen.in(netns).filter(row => row.window === index)
    t.equal(rows.filter(row => row.role === CLIENT).length, 13)
    t.equal(rows.filter(row => row.role === SERVER).length, 13)
    t.equal(rows.filter(row => row.flags & 1).length, 22, 'those that were there before say so')
    t.equal(rows.filter(row => row.family === 10).length, 8)
    t.ok(rows.every(row => row.comm === 'load' && row.pid > 0 && row.closed_ns === 0))
  }
  t.equal(sum(seen.in(netns), 'bytes_sent'), 2 * 13 * 10, 'what they sent before is not told again')
  await client.ask('close')
  await seen.windowEnd()
  await seen.windowEnd()
  t.equal(closed(seen.in(netns)).length, 26)
  t.equal(opened(seen.in(netns)).length, 4)
})

t.test('what a socket says is what ss says', real, async t => {
  const { netns, client } = await stage(t, ['127.0.0.1', '8000'])
  const seen = await watch(t)
  await client.ask('open 5 127.0.0.1 8000')
  await client.ask('echo 20 1000')
  await client.ask('send 0 1')
  await seen.windowEnd()
  const told = await ss({ netns })
  await seen.windowEnd()
  const flows = Map.groupBy(seen.in(netns), row => row.cookie)
  t.equal(flows.size, 10)
  for (const socket of told.filter(({ state }) => state === 'ESTAB')) {
    const rows = flows.get(socket.cookie!)!
    const last = rows.at(-1)!
    t.equal(last.rtt_us / 1000, socket.rttMs, 'rtt')
    t.equal(last.rtt_var_us / 1000, socket.rttvarMs, 'rttvar')
    t.equal(sum(rows, 'bytes_sent'), socket.bytesSent, 'bytes sent')
    t.equal(sum(rows, 'bytes_rcvd'), socket.bytesReceived, 'bytes received')
    t.same([last.local_port, last.remote_port], [socket.local.port, socket.peer.port], 'ports')
    t.equal(last.pid, socket.processes[0]!.pid, 'process')
  }
})

t.test('a connection that fails was opened and closed', real, async t => {
  const { netns, client } = await stage(t)
  const seen = await watch(t)
  t.match(await client.ask('open 3 127.0.0.1 9'), { opened: 0, failed: 3 })
  await seen.windowEnd()
  await seen.windowEnd()
  checkFlows(t, seen.in(netns), 3)
  t.ok(seen.in(netns).every(row => row.role === CLIENT && row.rtt_us === 0))
})

t.test('more flows than slots are counted when they close, and said to be', real, async t => {
  const { netns, client } = await stage(t, ['127.0.0.1', '8000', '--ports', '2'])
  const seen = await watch(t, { maxFlows: 1024 })
  t.match(await client.ask('open 1000 127.0.0.1 8000 2'), { opened: 1000 })
  await seen.windowEnd()
  await seen.windowEnd()
  const lost = seen.kernel.lost()['kernel/slot'] ?? 0
  t.ok(lost >= 2000 - 1024 && lost <= 2000, `${lost} had no slot`)
  await client.ask('close')
  await seen.windowEnd()
  await seen.windowEnd()
  t.equal(closed(seen.in(netns)).filter(row => row.role === CLIENT).length, 1000)
  t.equal(closed(seen.in(netns)).filter(row => row.role === SERVER).length, 1000)
})

t.test('more of them than are remembered without a slot', real, async t => {
  const many = 5000 // both ends of each; 8,192 are remembered
  const older = await stage(t, ['127.0.0.1', '8000', '--ports', '4'])
  t.match(await older.client.ask(`open ${many} 127.0.0.1 8000 4`, 60_000), { opened: many })
  t.match(await older.client.ask('echo 1 1000', 60_000), { echoed: many })
  const seen = await watch(t, { maxFlows: 1024 })
  t.ok(seen.kernel.lost()['kernel/slot']! >= 2 * many - 1024)
  t.match(await older.client.ask('close', 60_000), { closed: many })
  await until('all have closed', () => closed(seen.in(older.netns)).length >= 2 * many)
  const rows = seen.in(older.netns)
  t.equal(closed(rows).length, 2 * many)
  t.equal(opened(rows).length, 0, 'they are older than the probe')
  t.equal(sum(rows, 'bytes_sent') + sum(rows, 'bytes_rcvd'), 0, 'and so is what they carried')
})

t.test('flows that live while the cookies of tens of thousands of others pass by', real, async t => {
  const { netns, client, load } = await stage(t, ['127.0.0.1', '8000', '--ports', '4', '--forks', '2'])
  const seen = await watch(t)
  const stays = await load('client')
  t.match(await stays.ask('open 100 127.0.0.1 8000 4'), { opened: 100 })
  // each has two cookies, and the table of places is of 65,536
  const churned = 40_000
  t.same(await client.ask(`churn ${churned} 127.0.0.1 8000 4`, 120_000), { churned })
  await stays.ask('echo 2 100')
  await stays.ask('close')
  await seen.windowEnd()
  await seen.windowEnd()
  const rows = seen.in(netns)
  for (const role of [CLIENT, SERVER]) {
    const own = rows.filter(row => row.role === role)
    t.equal(opened(own).length, churned + 100, 'each opened once')
    t.equal(closed(own).length, churned + 100, 'each closed once')
    const carried = [...byFlow(own).values()].filter(each => sum(each, 'bytes_sent') > 0)
    t.equal(carried.length, 100)
    t.ok(
      carried.every(each => sum(each, 'bytes_sent') === 200 && sum(each, 'bytes_rcvd') === 200),
      'those that stay are counted to the end',
    )
  }
  t.same(seen.kernel.lost(), {})
})
