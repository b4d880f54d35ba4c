import t, { type Test } from 'tap'
import { loadBinary } from '../harness/binary.ts'
import { type Link, link } from '../harness/delay.ts'
import type { Row } from '../harness/flow_rows.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, run, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { opens, tcpCounters } from '../harness/snmp.ts'
import { type SsSocket, ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { veth } from '../harness/veth.ts'
import { CLIENT, netnsOf, SERVER } from '../harness/watch.ts'
import { ended, watch } from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const wired = { skip: real.skip || needs('tun') }
const [PREDATES, SAMPLED, FAILED] = [1, 8, 16]
const SERVER_ADDRESS = '10.9.0.2'
const ENDS = { addrA: '10.9.0.1', addrB: SERVER_ADDRESS }
const NOBODY = 9 // a port where nobody listens

/** Two network namespaces, with programs of the load in them. */
async function stage(t: Test) {
  const [near, far] = [await createNetns(), await createNetns()]
  t.teardown(() => near.close())
  t.teardown(() => far.close())
  const load = async (netns: string, ...words: string[]): Promise<Child> => {
    const child = start(inNetns(netns, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  return {
    near: near.path,
    far: far.path,
    wire: async (rttMs: number, dropEvery = 0): Promise<Link> => {
      const wire = await link({ nsA: near.path, nsB: far.path, ...ENDS, rttMs, dropEvery })
      t.teardown(() => wire.close())
      return wire
    },
    cable: () => veth(near.path, [`${ENDS.addrA}/24`], far.path, [`${ENDS.addrB}/24`]),
    serve: async (port: number, ...words: string[]) => {
      const server = await load(far.path, 'server', SERVER_ADDRESS, String(port), ...words)
      await server.line(/listening/)
      return server
    },
    client: () => load(near.path, 'client'),
  }
}

type Counter = 'bytes_sent' | 'bytes_rcvd' | 'segs_resent' | 'resets_sent' | 'resets_rcvd'
const sum = <K extends Counter>(rows: readonly Record<K, number>[], field: K): number =>
  rows.reduce((total, row) => total + row[field], 0)
const opened = (rows: readonly Row[]) => rows.filter(row => row.reported_ns === 0 && !(row.flags & PREDATES))
const closed = (rows: readonly Row[]) => rows.filter(row => row.closed_ns > 0)
const failed = (rows: readonly Row[]) => rows.filter(row => row.flags & FAILED)

/** What ss says of both ends once each has so many bytes acknowledged. */
function settled(namespaces: readonly string[], bytes: number): Promise<SsSocket[]> {
  return until('the last acknowledgement', async () => {
    const sockets = (await Promise.all(namespaces.map(netns => ss({ netns })))).flat()
    return sockets.every(({ bytesAcked }) => bytesAcked >= bytes) && sockets
  })
}

t.test('every 100th packet is dropped: what was sent again is what ss says', wired, async t => {
  const { near, far, wire, serve, client } = await stage(t)
  const path = await wire(1, 100)
  await serve(8000)
  const seen = await watch(t)
  const load = await client()
  const [connections, rounds, bytes] = [20, 5, 20_000]
  t.match(await load.ask(`open ${connections} ${SERVER_ADDRESS} 8000`), { opened: connections })
  t.match(await load.ask(`echo ${rounds} ${bytes}`), { echoed: connections * rounds })
  await settled([near, far], rounds * bytes)
  await ended(seen)
  const sockets = await settled([near, far], rounds * bytes)
  const dropped = (await path.packets()).reduce((total, { dropped }) => total + dropped, 0)
  const again = sockets.reduce((total, { retransmits }) => total + retransmits, 0)
  t.ok(dropped > 10 && again > 0, `${dropped} packets were dropped, ${again} segments sent again`)
  const rows = [...seen.in(near), ...seen.in(far)]
  t.equal(sum(rows, 'segs_resent'), again, 'as many in the rows')
  const flows = Map.groupBy(rows, ({ cookie }) => cookie)
  t.equal(flows.size, 2 * connections)
  for (const { cookie, retransmits } of sockets) {
    const own = flows.get(cookie)!
    t.same(
      [sum(own, 'segs_resent'), sum(own, 'bytes_sent'), sum(own, 'bytes_rcvd')],
      [retransmits, rounds * bytes, rounds * bytes],
      'each connection has its own, and each byte once',
    )
  }
  t.same(seen.kernel.lost(), {})
})

t.test('what nobody answers, and what is refused, has failed', wired, async t => {
  const { near, wire, client } = await stage(t)
  await wire(1, 1) // every packet is lost
  await run(inNetns(near, ['sysctl', '--quiet', '--write', 'net.ipv4.tcp_syn_retries=1']))
  const seen = await watch(t)
  const [silent, refused] = [await client(), await client()]
  const [unanswered, sentBack] = await Promise.all([
    silent.ask(`open 4 ${SERVER_ADDRESS} 80`),
    refused.ask(`open 3 127.0.0.1 ${NOBODY}`),
  ])
  t.same(unanswered, { ports: [], opened: 0, failed: 4, error: 'ETIMEDOUT' })
  t.same(sentBack, { ports: [], opened: 0, failed: 3, error: 'ECONNREFUSED' })
  const resent = (await tcpCounters(near))['RetransSegs']!
  await ended(seen)
  t.ok(resent >= 4, `${resent} SYN sent again`)
  const rows = seen.in(near)
  for (const [port, count, again] of [
    [80, 4, resent],
    [NOBODY, 3, 0],
  ] as const) {
    const own = rows.filter(row => row.remote_port === port)
    t.ok(
      own.every(row => row.role === CLIENT && row.established_ns === 0 && row.rtt_us === 0),
      `port ${port}`,
    )
    t.equal(opened(own).length, count, 'opened')
    t.equal(closed(own).length, count, 'closed')
    t.equal(failed(own).length, count, 'failed')
    t.ok(
      failed(own).every(row => row.closed_ns > 0),
      'which is said when they close',
    )
    t.equal(sum(own, 'segs_resent'), again, 'SYN sent again')
  }
  t.same(seen.kernel.lost(), {})
})

t.test('a reset is counted where it was sent, and where it arrived', real, async t => {
  const { near, far, cable, serve, client } = await stage(t)
  await cable()
  await serve(8000)
  const seen = await watch(t)
  const load = await client()
  await load.ask(`open 6 ${SERVER_ADDRESS} 8000`)
  await load.ask('echo 1 100')
  await load.ask('reset')
  await load.ask(`open 3 ${SERVER_ADDRESS} ${NOBODY}`)
  await until('the end of the connections', async () => (await ss({ netns: far })).length === 0)
  await ended(seen)
  const resets = (netns: string, role: number) => {
    const own = seen.totals.filter(row => row.netns === netnsOf(netns) && row.role === role)
    return { sent: sum(own, 'resets_sent'), received: sum(own, 'resets_rcvd') }
  }
  t.same(resets(near, CLIENT), { sent: 6, received: 3 }, 'the client resets, and is refused')
  t.same(resets(far, SERVER), { sent: 0, received: 6 }, 'who refuses has no socket')
  t.equal(failed([...seen.in(near), ...seen.in(far)]).length, 3, 'who was connected has not failed')
})

/** A segment with ACK alone, of no connection, to the port of a listener (RFC 9293, 3.3). */
const STRAY = `
import socket, struct, sys
source, target, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.bind((source, 0))
for sport in range(40000, 40005):
    head = lambda check: struct.pack("!HHIIBBHHH", sport, port, 1, 1, 5 << 4, 0x10, 1024, check, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, 20)
    words = sum(struct.unpack("!16H", pseudo + head(0)))
    words = (words >> 16) + (words & 0xffff)
    raw.sendto(head(~(words + (words >> 16)) & 0xffff), (target, 0))
`

t.test('the reset that a listener answers to a stray segment is of no connection', real, async t => {
  const { near, far, cable, serve } = await stage(t)
  await cable()
  await serve(8000)
  const seen = await watch(t)
  const before = (await tcpCounters(far))['OutRsts']!
  await run(inNetns(near, ['python3', '-c', STRAY, ENDS.addrA, SERVER_ADDRESS, '8000']))
  await until('five resets', async () => (await tcpCounters(far))['OutRsts']! === before + 5)
  await ended(seen)
  t.equal(
    sum(
      seen.totals.filter(row => row.netns === netnsOf(far)),
      'resets_sent',
    ),
    0,
  )
})

t.test('100 MB each way through eight connections: exact at both ends', real, async t => {
  const { near, far, cable, serve, client } = await stage(t)
  await cable()
  const server = await serve(8000, '--forks', '2')
  const seen = await watch(t)
  const load = await client()
  await load.ask(`open 8 ${SERVER_ADDRESS} 8000`)
  t.match(await load.ask('echo 1 12500000'), { echoed: 8 })
  t.match(await server.ask('stats'), { bytes: 100_000_000 }, 'the server has received them')
  await settled([near, far], 12_500_000)
  await load.ask('close')
  await until('the end of the connections', async () => (await ss({ netns: far })).length === 0)
  await ended(seen)
  for (const netns of [near, far]) {
    const rows = seen.in(netns)
    t.equal(sum(rows, 'bytes_sent'), 100_000_000, 'sent')
    t.equal(sum(rows, 'bytes_rcvd'), 100_000_000, 'received')
  }
})

t.test('opened is the growth of ActiveOpens and PassiveOpens', real, async t => {
  const { near, far, cable, serve, client } = await stage(t)
  await cable()
  await serve(8000, '--ports', '2', '--forks', '2')
  await serve(8100, '--mode', 'hangup')
  const [before, stays, churns] = [await client(), await client(), await client()]
  await before.ask(`open 5 ${SERVER_ADDRESS} 8000`)
  const seen = await watch(t)
  const known = await opens(near, far)
  await Promise.all([
    churns.ask(`churn 3000 ${SERVER_ADDRESS} 8000 2`),
    stays.ask(`open 40 ${SERVER_ADDRESS} 8000 2`),
    before.ask('close'),
  ])
  t.match(await stays.ask(`open 25 ${SERVER_ADDRESS} ${NOBODY}`), { failed: 25 })
  await stays.ask('reset')
  await churns.ask(`churn 300 ${SERVER_ADDRESS} 8100 1 hangup`)
  t.match(await churns.ask(`churn 50 ${SERVER_ADDRESS} ${NOBODY}`), { failed: 50 })
  t.match(await stays.ask(`open 10 ${SERVER_ADDRESS} 8000`), { opened: 10 })
  await ended(seen)
  const growth = (await opens(near, far)) - known
  const rows = [...seen.in(near), ...seen.in(far)]
  t.equal(growth, 2 * (3000 + 40 + 300 + 10) + 25 + 50, 'what was done')
  t.equal(opened(rows).length, growth, 'opened')
  t.equal(closed(rows).length, growth - 20 + 10, 'all but ten are closed, and the five from before')
  t.equal(failed(rows).length, 75, 'failed')
  t.same(seen.kernel.lost(), {})
})

for (const without of [[], ['use', 'rtt_looks']])
  t.test(
    `a connection that found no slot has failed all the same, without ${without.join() || 'nothing'}`,
    real,
    async t => {
      const { near, far, cable, serve, client } = await stage(t)
      await cable()
      await serve(8000)
      await serve(8100)
      const seen = await watch(t, { maxFlows: 1024, without })
      const [stays, comes] = [await client(), await client()]
      t.match(await stays.ask(`open 1200 ${SERVER_ADDRESS} 8000`), { opened: 1200 })
      t.match(await comes.ask(`churn 7 ${SERVER_ADDRESS} ${NOBODY}`), { failed: 7 })
      t.match(await comes.ask(`open 5 ${SERVER_ADDRESS} 8100`), { opened: 5 })
      await comes.ask('echo 3 100')
      await comes.ask('close')
      await until('the end of the connections', async () => {
        const left = await ss({ netns: far, filter: ['sport', '=', ':8100'] })
        return left.length === 0
      })
      await ended(seen)
      const rows = [...seen.in(near), ...seen.in(far)]
      t.equal(failed(rows).length, 7, 'failed')
      const sampled = rows.filter(row => row.local_port === 8100 || row.remote_port === 8100)
      t.equal(sampled.length, 10)
      const isSampled = sampled.filter(row => row.flags & SAMPLED)
      if (without.length > 0)
        t.equal(isSampled.length, 10, 'sock_ops: its samples are among all, its smoothed RTT is none')
      else t.ok(isSampled.length === 0 && sampled.every(row => row.rtt_us > 0), 'its smoothed RTT counts')
    },
  )
