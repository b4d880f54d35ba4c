/** The queues of listening sockets, compared with `ss -ltm`. */

import t from 'tap'
import { connect, stage, watch } from '../harness/owners.ts'
import { needs } from '../harness/skip.ts'
import { ss } from '../harness/ss.ts'
import { netnsOf } from '../harness/watch.ts'

const listening = async (netns: string, port: number) =>
  (await ss({ netns, filter: ['state', 'all'] })).find(
    ({ state, local }) => state === 'LISTEN' && local.port === port,
  )

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }

for (const when of ['before the probe', 'after it'] as const)
  t.test(`a listener that does not accept, and listened ${when}`, real, async t => {
    const { netns, server, client } = await stage(t)
    const listen = () => server.actor.socket('listen 127.0.0.1 8001 tcp alone 2')
    const before = when === 'before the probe' ? await listen() : undefined
    const seen = await watch(t)
    const listener = before ?? (await listen())
    const own = (port: number) =>
      seen.listeners.filter(row => row.netns === netnsOf(netns) && row.port === port)
    for (let n = 0; n < 6; n++) await client.actor.socket('begin 127.0.0.1 8001')
    await seen.windowEnd()
    await seen.windowEnd()
    const told = (await listening(netns, 8001))!
    const last = own(8001).at(-1)!
    t.match(last, {
      listeners: 1,
      queue_depth: told.receiveQueue,
      queue_limit: told.sendQueue,
      pid: server.pid,
    })
    t.match(last, { cgroup: server.cgroup, queue_limit: 2, queue_depth: 3, queue_fullest: 15_000 })
    t.ok(told.drops > 0)
    await seen.windowEnd()
    const dropped = async () => (await listening(netns, 8001))!.drops
    const [drops, risen] = [await dropped(), own(8001).reduce((sum, row) => sum + row.queue_drops, 0)]
    t.ok(risen >= told.drops && risen <= drops, `${risen} overflows, ${drops} in ss`)
    await connect(client)
    t.ok(
      own(8000).every(row => row.queue_drops === 0),
      'the other listener has none',
    )
    await server.actor.do(`close ${listener.fd}`)
    const { index } = await seen.windowEnd()
    await seen.windowEnd()
    t.strictSame(
      own(8001).filter(({ window }) => window > index),
      [],
      'a closed one has no row',
    )
    t.equal(own(8001).at(-1)!.listeners, 0)
    t.ok(own(8000).some(({ window, listeners }) => window > index && listeners === 1))
  })

t.test('the drops of its last moments are in the row of a listener that closes', real, async t => {
  const { netns, server, client } = await stage(t)
  const seen = await watch(t)
  await seen.windowEnd()
  const listener = await server.actor.socket('listen 127.0.0.1 8002 tcp alone 1')
  for (let n = 0; n < 5; n++) await client.actor.socket('begin 127.0.0.1 8002')
  const told = (await listening(netns, 8002))!
  await server.actor.do(`close ${listener.fd}`)
  await seen.windowEnd()
  await seen.windowEnd()
  const rows = seen.listeners.filter(row => row.netns === netnsOf(netns) && row.port === 8002)
  const risen = rows.reduce((sum, row) => sum + row.queue_drops, 0)
  t.ok(told.drops > 0 && risen >= told.drops, `${risen} of ${told.drops}`)
  t.same(seen.kernel.lost(), {})
})

t.test('a listener that stops and listens again within a window is the same one', real, async t => {
  const { netns, server, client } = await stage(t)
  const seen = await watch(t)
  const listener = await server.actor.socket('listen 127.0.0.1 8003 tcp alone 1')
  await seen.windowEnd()
  for (let turn = 0; turn < 3; turn++) {
    await server.actor.do(`listen-again ${listener.fd}`)
    const { index } = await seen.windowEnd()
    await seen.windowEnd()
    const rows = seen.listeners.filter(
      ({ netns: inode, port, window }) => inode === netnsOf(netns) && port === 8003 && window > index,
    )
    t.match(rows, [{ listeners: 1, pid: server.pid, queue_depth: 0, queue_limit: 128 }])
  }
  for (let n = 0; n < 3; n++) await client.actor.socket('begin 127.0.0.1 8003')
  await seen.windowEnd()
  await seen.windowEnd()
  t.match(
    seen.listeners.findLast(({ netns: inode, port }) => inode === netnsOf(netns) && port === 8003),
    { listeners: 1, queue_depth: 3, port: 8003 },
    'and so is what waits there',
  )
})

t.test('a listener that was not bound has its port', real, async t => {
  const { netns, server } = await stage(t)
  const seen = await watch(t)
  const { fd } = await server.actor.socket('unbound')
  const { port } = await server.actor.socket(`listen-with ${fd}`)
  await seen.windowEnd()
  await seen.windowEnd()
  const own = seen.listeners.filter(row => row.netns === netnsOf(netns) && row.pid === server.pid)
  t.ok(port > 0)
  t.match(
    own.findLast(row => row.port !== 8000),
    { listeners: 1, port },
  )
})
