import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Socket } from '../harness/actor.ts'
import { actorBinary } from '../harness/binary.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { inNetns } from '../harness/netns.ts'
import { connect, GUESSED, isOwned, lookup, stage, WAYS, watch } from '../harness/owners.ts'
import { run } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, SERVER } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

for (const { way, options, later, accept } of WAYS) {
  t.test(
    `three pre-forked children each own what they accept, their parent nothing: ${way}`,
    real,
    async t => {
      const { netns, apart, server, client, listener } = await stage(t)
      const children = [await server.actor.fork(), await server.actor.fork(), await server.actor.fork()]
      const workers = [await apart(children[0]!), await apart(children[1]!), await apart(children[2]!)]
      const seen = await watch(t, options)
      for (const [index, worker] of workers.entries())
        for (let count = 0; count <= index; count++) {
          const { actor } = worker
          // one that stays, one of a moment that is used, and one that is not
          await connect(client)
          await accept(worker, listener)
          for (const bytes of [100, 0]) {
            const { fd } = await connect(client)
            const accepted = await actor.socket(`accept ${listener.fd}`)
            await actor.do(`send ${accepted.fd} ${bytes}`)
            await client.actor.do(`receive ${fd} ${bytes}`)
            await actor.do(`close ${accepted.fd}`)
            await client.actor.do(`close ${fd}`)
          }
        }
      await seen.windowEnd()
      await seen.windowEnd()
      const flows = (role: number) =>
        new Map(
          seen
            .in(netns)
            .filter(row => row.role === role)
            .map(row => [row.cookie, row]),
        )
      const accepted = [...flows(SERVER).values()]
      t.equal(accepted.length, 18)
      for (const [index, worker] of workers.entries()) {
        const own = accepted.filter(row => row.pid === worker.pid)
        t.equal(own.length, 3 * (index + 1), `child ${index}`)
        for (const row of own) isOwned(t, row, worker, `child ${index}`)
      }
      t.ok([...flows(CLIENT).values()].every(row => row.pid === client.pid && row.cgroup === client.cgroup))
      t.same(seen.kernel.lost(), {})
    },
  )

  t.test(`a listener that came over a unix socket: who accepts is the owner; ${way}`, real, async t => {
    const { netns, process, server, client, listener } = await stage(t)
    const other = await process()
    const seen = await watch(t, options)
    const passed = await server.actor.give(listener.fd, other.actor)
    await connect(client)
    const theirs = await accept(other, passed)
    await connect(client)
    const own = await accept(server, listener)
    if (later) await seen.windowEnd()
    const row = await lookup(seen, netns)
    isOwned(t, row(theirs), other, 'the process that got the listener')
    isOwned(t, row(own), server, 'the process that opened it')
    await server.actor.close()
    await connect(client)
    const last = await accept(other, passed)
    if (later) await seen.windowEnd()
    isOwned(t, (await lookup(seen, netns))(last), other, 'also when who opened it is gone')
  })

  t.test(`a listener inherited over exec, as from systemd: ${way}`, real, async t => {
    const { netns, apart, server, client, listener } = await stage(t)
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const program = join(await scratch(cleanup, 'activated'), 'activated')
    await symlink(await actorBinary(), program)
    const seen = await watch(t, options)
    const service = await apart(await server.actor.fork())
    await service.actor.exec(program, listener.fd, 3) // sd_listen_fds(3): the first is 3
    await service.actor.ready()
    await connect(client)
    const accepted = await accept(service, { ...listener, fd: 3 })
    if (later) await seen.windowEnd()
    const row = await lookup(seen, netns)
    isOwned(t, row(accepted), service, 'the service', 'activated')
  })
}

t.test('SO_REUSEPORT: each of the group owns what it gets', real, async t => {
  const { netns, process, client } = await stage(t)
  const group = [await process(), await process(), await process()]
  const listeners = []
  for (const { actor } of group) listeners.push(await actor.socket('listen 127.0.0.1 8001 tcp reuseport'))
  const seen = await watch(t)
  for (let count = 0; count < 30; count++) await client.actor.do('connect 127.0.0.1 8001')
  const told = []
  for (const [index, { actor }] of group.entries())
    told.push(await actor.do<{ accepted: number }>(`accept-pending ${listeners[index]!.fd}`))
  await seen.windowEnd()
  const { index } = await seen.windowEnd()
  const rows = seen.in(netns).filter(row => row.window === index && row.role === SERVER)
  t.equal(rows.length, 30)
  for (const [index, process] of group.entries()) {
    const own = rows.filter(row => row.pid === process.pid)
    t.equal(own.length, told[index]!.accepted, `process ${index}`)
    for (const row of own) isOwned(t, row, process, `process ${index}`)
  }
})

const uring = { skip: needs('root', 'bpf', 'netns', 'gcc', 'uring') }
t.test('io_uring: who accepts, uses or closes without a system call for it', uring, async t => {
  const { netns, apart, server, client, listener } = await stage(t)
  const worker = await apart(await server.actor.fork())
  const seen = await watch(t)
  const accept = async (how = '') => {
    const { fd } = await connect(client)
    return { fd, accepted: await worker.actor.socket(`uring-accept ${listener.fd}${how}`) }
  }
  const one = await accept(' multishot')
  const [unused, sent, received, called, closed] = [
    await accept(),
    await accept(),
    await accept(),
    await accept(),
    await accept(),
  ]
  await worker.actor.do(`uring-send ${sent.accepted.fd} 10`)
  await client.actor.do(`uring-send ${received.fd} 10`)
  await worker.actor.do(`uring-receive ${received.accepted.fd} 10`)
  await worker.actor.do(`send ${called.accepted.fd} 10`)
  await worker.actor.do(`close ${closed.accepted.fd}`)
  const row = await lookup(seen, netns)
  isOwned(t, row(unused.accepted), worker, 'accepted only')
  isOwned(t, row(one.accepted), worker, 'accepted by a multishot')
  isOwned(t, row(sent.accepted), worker, 'sent')
  isOwned(t, row(received.accepted), worker, 'received')
  isOwned(t, row(called.accepted), worker, 'used by system call')
  isOwned(t, row(closed.accepted), worker, 'closed')
  for (const { peer, port } of [unused, sent, received].map(({ accepted }) => accepted))
    isOwned(t, row({ fd: 0, port: peer, peer: port }), client, 'the client')
})

t.test('nobody has accepted it yet: a guess, which is who listens', real, async t => {
  const { netns, apart, server, client, listener } = await stage(t)
  const child = await apart(await server.actor.fork())
  const seen = await watch(t)
  const { port, peer } = await connect(client)
  const waiting = { fd: 0, port: peer, peer: port }
  const row = (await lookup(seen, netns))(waiting)
  t.match(row, { pid: server.pid, cgroup: server.cgroup, role: SERVER })
  t.ok(row!.flags & GUESSED, 'and says so')
  const accepted = await child.actor.socket(`accept ${listener.fd}`)
  t.equal(accepted.peer, port)
  await seen.windowEnd()
  isOwned(t, (await lookup(seen, netns))(waiting), child, 'accepted, and never used')
})

t.test('of two containers with one port, who listens is the guess', real, async t => {
  const { netns, process, server, client } = await stage(t)
  const [other, third] = [await process(), await process()]
  await run(inNetns(netns, ['ip', 'address', 'add', 'fd00::1/128', 'dev', 'lo', 'nodad']))
  await run(inNetns(netns, ['ip', 'address', 'add', 'fd00::2/128', 'dev', 'lo', 'nodad']))
  const seen = await watch(t)
  const guessed: { who: typeof server; socket: Socket; what: string }[] = []
  const connects = async (who: typeof server, address: string, port: number, what: string) => {
    const socket = await client.actor.socket(`connect ${address} ${port}`)
    guessed.push({ who, socket: { fd: 0, port: socket.peer, peer: socket.port }, what })
  }
  const check = async () => {
    const find = await lookup(seen, netns)
    for (const { who, socket, what } of guessed.splice(0)) {
      const row = find(socket)
      t.match(row, { pid: who.pid, cgroup: who.cgroup, role: SERVER }, what)
      t.ok(row && row.flags & GUESSED, 'and it is a guess')
    }
  }

  const [held, refused] = [
    await server.actor.socket('bound 127.0.0.1 8010'),
    await other.actor.socket('bound 127.0.0.1 8010'),
  ]
  await server.actor.do(`listen-with ${held.fd}`)
  await t.rejects(other.actor.do(`listen-with ${refused.fd}`), /EADDRINUSE/)
  await connects(server, '127.0.0.1', 8010, 'a listen(2) that failed changes nothing')
  await check()
  await server.actor.do(`close ${held.fd}`)
  await other.actor.do(`listen-with ${refused.fd}`)
  await connects(other, '127.0.0.1', 8010, 'one that comes after it does')

  for (const [who, address] of [
    [server, 'fd00::1'],
    [other, 'fd00::2'],
  ] as const)
    await who.actor.do(`listen ${address} 8011`)
  await connects(server, 'fd00::1', 8011, 'the first IPv6 address')
  await connects(other, 'fd00::2', 8011, 'the second one')
  await third.actor.do('listen 0.0.0.0 8012')
  await connects(third, '127.0.0.1', 8012, 'any address')

  const unbound = []
  for (const who of [server, other, third]) {
    const { fd } = await who.actor.socket('unbound')
    unbound.push({ who, port: (await who.actor.socket(`listen-with ${fd}`)).port })
  }
  for (const { who, port } of unbound) await connects(who, '127.0.0.1', port, 'listen(2) without bind(2)')

  await check()
})

t.test('sockets that are older than the probe, of pre-forked children', real, async t => {
  const { netns, process, apart, server, client, listener } = await stage(t)
  const children = [await apart(await server.actor.fork()), await apart(await server.actor.fork())] as const
  const worker = await process()
  const ends = []
  for (const { actor } of children) {
    const { fd } = await connect(client)
    ends.push({ fd, accepted: await actor.socket(`accept ${listener.fd}`) })
  }
  const passed = await children[1].actor.give(ends[1]!.accepted.fd, worker.actor)
  await children[1].actor.do(`close ${ends[1]!.accepted.fd}`)
  const seen = await watch(t)
  await connect(client)
  const later = await children[1].actor.socket(`accept ${listener.fd}`)
  await children[1].actor.do(`send ${later.fd} 1`)
  const row = await lookup(seen, netns)
  isOwned(t, row(ends[0]!.accepted), children[0], 'who accepted and has it')
  isOwned(t, row(ends[1]!.accepted), worker, 'who got it and has it')
  isOwned(t, row(later), children[1], 'a new connection of the old listener')
  await client.actor.do(`send ${ends[1]!.fd} 10`)
  await worker.actor.do(`receive ${passed.fd} 10`)
  await children[1].actor.give(later.fd, worker.actor).then(({ fd }) => worker.actor.do(`send ${fd} 10`))
  const then = await lookup(seen, netns)
  isOwned(t, then(ends[1]!.accepted), worker, 'who uses it')
  isOwned(t, then(later), worker, 'who uses it')
})
