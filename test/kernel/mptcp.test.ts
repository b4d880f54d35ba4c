import t, { type Test } from 'tap'
import { type Actor, type Socket, startActor } from '../harness/actor.ts'
import type { Row } from '../harness/flow_rows.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { ss } from '../harness/ss.ts'
import { until } from '../harness/until.ts'
import { veth } from '../harness/veth.ts'
import { byFlow, CLIENT, SERVER, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss', 'mptcp') }
const [GUESSED, OWNERLESS] = [2, 4]
const PAIRS = [
  { listens: 'mptcp', connects: 'mptcp', established: 1 },
  { listens: 'mptcp', connects: 'tcp', established: 0 },
  { listens: 'tcp', connects: 'mptcp', established: 0 },
] as const

async function stage(t: Test) {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const actor = async () => {
    const actor = await startActor(netns.path)
    t.teardown(() => actor.close())
    return actor
  }
  return { netns: netns.path, server: await actor(), client: await actor() }
}

async function watch(t: Test): Promise<Watch> {
  const watch = await Watch.start()
  t.teardown(() => watch.close())
  return watch
}

interface Pair {
  readonly accepted: Socket
  readonly connected: Socket
}

async function connect(listener: Socket, acceptor: Actor, client: Actor, transport: string): Promise<Pair> {
  const connected = await client.socket(`connect 127.0.0.1 8000 ${transport}`)
  return { connected, accepted: await acceptor.socket(`accept ${listener.fd}`) }
}

async function exchange({ accepted, connected }: Pair, server: Actor, client: Actor): Promise<void> {
  await client.do(`send ${connected.fd} 1000`)
  await server.do(`receive ${accepted.fd} 1000`)
  await server.do(`send ${accepted.fd} 30000`)
  await client.do(`receive ${connected.fd} 30000`)
}

/** How many connections of a network namespace are MPTCP for both ends, by the kernel's own counter. */
async function established(netns: string): Promise<number> {
  const [names = '', values = ''] = (
    await run(inNetns(netns, ['grep', '^MPTcpExt', '/proc/net/netstat']))
  ).split('\n')
  return Number(values.split(' ')[names.split(' ').indexOf('MPCapableACKRX')])
}

const sum = (rows: readonly Row[], field: 'bytes_sent' | 'bytes_rcvd') =>
  rows.reduce((total, row) => total + row[field], 0)

function isOwned(t: Test, rows: readonly Row[], role: number, { pid }: Actor, count: number): Row[] {
  const own = rows.filter(row => row.role === role)
  t.equal(byFlow(own).size, count, `role ${role}: ${count} flows`)
  t.same([...new Set(own.map(row => `${row.pid} ${row.comm}`))], [`${pid} actor`], `role ${role}: owner`)
  t.ok(
    own.every(row => !(row.flags & (GUESSED | OWNERLESS))),
    `role ${role}: and that is no guess`,
  )
  return own
}

for (const { listens, connects, established: expected } of PAIRS) {
  t.test(`${connects} to a listener for ${listens}`, real, async t => {
    const { netns, server, client } = await stage(t)
    const seen = await watch(t)
    const listener = await server.socket(`listen 127.0.0.1 8000 ${listens}`)
    const stays = await connect(listener, server, client, connects)
    await exchange(stays, server, client)
    const ends = await connect(listener, server, client, connects)
    await exchange(ends, server, client)
    await client.do(`close ${ends.connected.fd}`)
    await server.do(`close ${ends.accepted.fd}`)
    t.equal(await established(netns), 2 * expected, 'the kernel agrees on the transport')
    await seen.windowEnd()
    await seen.windowEnd()
    const clients = isOwned(t, seen.in(netns), CLIENT, client, 2)
    const servers = isOwned(t, seen.in(netns), SERVER, server, 2)
    t.same([sum(clients, 'bytes_sent'), sum(clients, 'bytes_rcvd')], [2000, 60_000])
    t.same([sum(servers, 'bytes_sent'), sum(servers, 'bytes_rcvd')], [60_000, 2000])
    t.same(seen.kernel.lost(), {})
  })

  t.test(`${connects} to a listener for ${listens}, both older than the probe`, real, async t => {
    const { netns, server, client } = await stage(t)
    const listener = await server.socket(`listen 127.0.0.1 8000 ${listens}`)
    const old = await connect(listener, server, client, connects)
    await exchange(old, server, client)
    const seen = await watch(t)
    await exchange(await connect(listener, server, client, connects), server, client)
    await seen.windowEnd()
    const { index } = await seen.windowEnd()
    const rows = seen.in(netns).filter(row => row.window === index)
    isOwned(t, rows, CLIENT, client, 2)
    isOwned(t, rows, SERVER, server, 2)
    await exchange(old, server, client)
    await seen.windowEnd()
    await seen.windowEnd()
    const clients = isOwned(t, seen.in(netns), CLIENT, client, 2)
    t.same([sum(clients, 'bytes_sent'), sum(clients, 'bytes_rcvd')], [2000, 60_000])
    isOwned(t, seen.in(netns), SERVER, server, 2)
  })
}

t.test('a pre-forked child accepts on a listener for MPTCP', real, async t => {
  const { netns, server, client } = await stage(t)
  const seen = await watch(t)
  const listener = await server.socket('listen 127.0.0.1 8000 mptcp')
  const child = await server.fork()
  const pairs = [
    await connect(listener, child, client, 'mptcp'),
    await connect(listener, child, client, 'tcp'),
  ]
  for (const pair of pairs) await exchange(pair, child, client)
  await seen.windowEnd()
  const { index } = await seen.windowEnd()
  isOwned(
    t,
    seen.in(netns).filter(row => row.window === index),
    SERVER,
    child,
    2,
  )
  for (const pair of pairs) await exchange(pair, child, client)
  await seen.windowEnd()
  await seen.windowEnd()
  isOwned(
    t,
    seen.in(netns).filter(row => row.window > index),
    SERVER,
    child,
    2,
  )
})

t.test('the last user of an MPTCP connection owns it', real, async t => {
  const { netns, server, client } = await stage(t)
  const seen = await watch(t)
  const listener = await server.socket('listen 127.0.0.1 8000 mptcp')
  const pair = await connect(listener, server, client, 'mptcp')
  await exchange(pair, server, client)
  const children = [await server.fork(), await client.fork()] as const
  await seen.windowEnd()
  await exchange(pair, ...children)
  const { index } = await seen.windowEnd()
  const rows = seen.in(netns).filter(row => row.window === index)
  isOwned(t, rows, SERVER, children[0], 1)
  isOwned(t, rows, CLIENT, children[1], 1)
})

t.test('each subflow is a flow of its own, of the same owner', real, async t => {
  const [near, far] = [await createNetns('near'), await createNetns('far')]
  t.teardown(() => Promise.all([near.close(), far.close()]))
  await veth(near.path, ['10.9.0.1/24'], far.path, ['10.9.0.2/24', '10.9.0.3/24'])
  for (const { path } of [near, far])
    await run(inNetns(path, ['ip', 'mptcp', 'limits', 'set', 'subflow', '2', 'add_addr_accepted', '2']))
  const second = ['endpoint', 'add', '10.9.0.3', 'dev', 'veth', 'subflow']
  await run(inNetns(far.path, ['ip', 'mptcp', ...second]))
  const [server, client] = [await startActor(near.path), await startActor(far.path)]
  t.teardown(() => Promise.all([server.close(), client.close()]))
  const seen = await watch(t)
  const listener = await server.socket('listen 10.9.0.1 8000 mptcp')
  const child = await server.fork()
  const connected = await client.socket('connect 10.9.0.1 8000 mptcp')
  const accepted = await child.socket(`accept ${listener.fd}`)
  await exchange({ accepted, connected }, child, client)
  const open = { netns: far.path, filter: ['state', 'established'] }
  await until('the second subflow', async () => (await ss(open)).length === 2)
  await exchange({ accepted, connected }, child, client)
  await seen.windowEnd()
  await client.do(`close ${connected.fd}`)
  await child.do(`close ${accepted.fd}`)
  await seen.windowEnd()
  await seen.windowEnd()
  isOwned(t, seen.in(near.path), SERVER, child, 2)
  isOwned(t, seen.in(far.path), CLIENT, client, 2)
})
