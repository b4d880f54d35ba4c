import t from 'tap'
import { createNetns, inNetns } from '../harness/netns.ts'
import { connect, isOwned, lookup, stage, watch } from '../harness/owners.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { veth } from '../harness/veth.ts'
import { CLIENT } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }
const SYN_SENT = 2 // net/tcp_states.h

t.test('a connection passed on after accept: its last user is the owner', real, async t => {
  const { netns, process, server, client, listener } = await stage(t)
  const worker = await process()
  const seen = await watch(t)
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  const passed = await server.actor.give(accepted.fd, worker.actor)
  await seen.windowEnd()
  isOwned(t, (await lookup(seen, netns))(accepted), server, 'until it is used, who has its descriptor')
  await client.actor.do(`send ${fd} 10`)
  await worker.actor.do(`receive ${passed.fd} 10`)
  isOwned(t, (await lookup(seen, netns))(accepted), worker, 'then who received')
  await server.actor.do(`write ${accepted.fd} 10`)
  isOwned(t, (await lookup(seen, netns))(accepted), server, 'then who wrote')
  await client.actor.do(`receive ${fd} 10`)
  await client.actor.do(`close ${fd}`)
  await t.rejects(worker.actor.do(`read ${passed.fd} 1`), /ENODATA/)
  isOwned(t, (await lookup(seen, netns))(accepted), server, 'an end of file is no use')
})

t.test('a thread is its process', real, async t => {
  const { netns, server, client, listener } = await stage(t)
  const seen = await watch(t)
  const begun = await client.actor.socket('thread connect 127.0.0.1 8000')
  const closed = await server.actor.socket(`thread accept ${listener.fd}`)
  await server.actor.do(`thread close ${closed.fd}`)
  const { fd } = await connect(client)
  const used = await server.actor.socket(`accept ${listener.fd}`)
  await server.actor.do(`thread send ${used.fd} 10`)
  await client.actor.do(`thread receive ${fd} 10`)
  const row = await lookup(seen, netns)
  isOwned(t, row(closed), server, 'closed in a thread')
  isOwned(t, row(used), server, 'used in another')
  isOwned(t, row(begun), client, 'connected in a thread')
})

t.test('fork after connect: the child owns it when it uses it', real, async t => {
  const { netns, apart, server, client, listener } = await stage(t)
  const seen = await watch(t)
  const socket = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  const child = await apart(await client.actor.fork())
  isOwned(t, (await lookup(seen, netns))(socket), client, 'until then, who connected')
  await child.actor.do(`write ${socket.fd} 10`)
  isOwned(t, (await lookup(seen, netns))(socket), child, 'then the child')
  await client.actor.do(`close ${socket.fd}`)
  isOwned(t, (await lookup(seen, netns))(socket), child, 'and it stays so when the parent closes its copy')
  await child.actor.do(`close ${socket.fd}`)
  await server.actor.do(`close ${accepted.fd}`)
  const row = await lookup(seen, netns)
  isOwned(t, row(socket), child, 'the last row is the child, too')
  isOwned(t, row(accepted), server, 'and the server')
  t.ok(row(socket)!.closed_ns > 0)
})

t.test('inetd: the program that has it as stdin and stdout', real, async t => {
  const { netns, apart, server, client, listener } = await stage(t)
  const seen = await watch(t)
  const { fd } = await connect(client)
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  const service = await apart(await server.actor.fork())
  await server.actor.do(`close ${accepted.fd}`)
  await service.actor.exec('/bin/cat', accepted.fd, 0, 1)
  await client.actor.do(`send ${fd} 1000`)
  await client.actor.do(`receive ${fd} 1000`)
  isOwned(t, (await lookup(seen, netns))(accepted), service, 'the program', 'cat')
})

t.test('a client that waits with epoll owns its connection from the first SYN on', real, async t => {
  const { netns, process, server, client, listener } = await stage(t)
  const nowhere = await createNetns()
  t.teardown(() => nowhere.close())
  await veth(netns, ['10.9.0.1/24'], nowhere.path, [])
  // a neighbour that never answers, not even to ARP
  const neighbour = ['neigh', 'add', '10.9.0.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'veth']
  await run(inNetns(netns, ['ip', ...neighbour]))
  const other = await process()
  const seen = await watch(t)
  const waiting = await other.actor.socket('begin 10.9.0.9 80')
  const begun = await client.actor.socket('begin 127.0.0.1 8000')
  const accepted = await server.actor.socket(`accept ${listener.fd}`)
  await client.actor.socket(`finish ${begun.fd}`)
  const row = await lookup(seen, netns)
  isOwned(t, row(begun), client, 'connected')
  t.match(row(accepted), { pid: server.pid, cgroup: server.cgroup }, 'accepted')
  // getpeername(2) tells no peer yet
  const pending = row({ ...waiting, peer: 80 })
  isOwned(t, pending, other, 'in progress')
  t.match(pending, { role: CLIENT, state: SYN_SENT })
})
