import t from 'tap'
import type { Traffic } from '../harness/actor.ts'
import {
  AF_INET,
  AF_INET6,
  conversations,
  counted,
  GUESSED,
  gets,
  LOOPBACK,
  owned,
  sends,
  settle,
  stage,
  total,
  watch,
} from '../harness/datagrams.ts'
import { inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, SERVER, type UdpRow } from '../harness/watch.ts'

// they wait more than they work
t.jobs = 3

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

const RESOLVERS = [
  { what: 'over lo', wired: false, address: LOOPBACK, family: AF_INET },
  { what: 'over a wire', wired: true, address: '10.9.0.1', family: AF_INET },
  { what: 'over a wire, IPv6', wired: true, address: 'fd09::1', family: AF_INET6 },
]
for (const udp of ['calls', 'packets'] as const) {
  for (const { what, wired, address, family } of udp === 'calls' ? RESOLVERS : RESOLVERS.slice(1))
    t.test(`a resolver answers five clients 1,000 times, ${what}: ${udp}`, real, async t => {
      const { near, far, server, client, actor } = await stage(t, wired)
      const seen = await watch(t, { udp })
      const { fd } = await server.socket(`bind ${address} 5300`)
      const clients = [client, await actor(far), await actor(far), await actor(far), await actor(far)]
      const any = family === AF_INET ? '0.0.0.0' : '::'
      const sockets = []
      for (const [index, each] of clients.entries()) {
        const connected = index % 2 === 1
        const socket = await each.socket(connected ? `connect ${address} 5300 udp` : `bind ${any} 0`)
        sockets.push({ ...socket, each, to: connected ? '' : ` ${address} 5300`, told: [] as Traffic[] })
      }
      const told: Traffic[] = []
      for (const bytes of [1, 100, 512, 1400]) {
        const resolved = server.traffic(`resolve ${fd} 250 ${bytes + 11}`)
        await Promise.all(
          sockets.map(async ({ fd, each, to, told }) =>
            told.push(await each.traffic(`ask ${fd} 50 ${bytes}${to}`)),
          ),
        )
        told.push(await resolved)
      }
      await settle(seen)
      t.equal(total(told).sent, 1000)
      const served = owned(t, seen.udpIn(near), server, SERVER)
      t.same(counted(served), total(told), 'the server')
      t.equal(conversations(served).size, 5)
      for (const { each, port, told } of sockets) {
        const rows = owned(t, seen.udpIn(far), each, CLIENT)
        t.same(counted(rows), total(told), 'a client')
        t.ok(
          rows.every(row => row.local_port === port && row.remote_port === 5300 && row.family === family),
          'its ports',
        )
        const there = served.filter(row => row.remote_port === port)
        t.equal(conversations(there).size, 1)
        const { sent, bytes_sent, received, bytes_received } = total(told)
        const mirrored = {
          sent: received,
          bytes_sent: bytes_received,
          received: sent,
          bytes_received: bytes_sent,
        }
        t.same(counted(there), mirrored, 'and what the server had with it')
      }
      t.same(seen.kernel.lost(), {})
    })

  for (const wired of [false, true])
    t.test(
      `each segment of an offloaded send counts, over ${wired ? 'a wire' : 'lo'}: ${udp}`,
      real,
      async t => {
        const { near, far, server, client } = await stage(t, wired)
        const address = wired ? '10.9.0.1' : LOOPBACK
        const seen = await watch(t, { udp })
        const plain = await server.socket(`bind ${address} 5300`)
        const offloaded = await server.socket(`bind ${address} 5301`)
        await server.do(`gro ${offloaded.fd}`)
        const { fd } = await client.socket(`bind ${wired ? '10.9.0.2' : LOOPBACK} 0`)
        // 20 segments each; then 20 and a short one
        const sent = [
          await client.traffic(`datagrams ${fd} 5 10000 500 ${address} 5300`),
          await client.traffic(`datagrams ${fd} 1 10001 500 ${address} 5300`),
        ]
        t.same(total(sent), sends(121, 60_001))
        t.same(await server.traffic(`collect ${plain.fd} 121`), gets(121, 60_001))
        t.same(await client.traffic(`datagrams ${fd} 1 10000 500 ${address} 5301`), sends(20, 10_000))
        t.same(await server.traffic(`collect ${offloaded.fd} 1`), gets(1, 10_000), 'in one piece')
        // larger than the MTU: fragments on the wire, one datagram for both programs
        t.same(await client.traffic(`datagrams ${fd} 2 20000 0 ${address} 5300`), sends(2, 40_000))
        t.same(await server.traffic(`collect ${plain.fd} 2`), gets(2, 40_000))
        await settle(seen)
        const [there, here] = [
          owned(t, seen.udpIn(near), server, SERVER),
          owned(t, seen.udpIn(far), client, CLIENT),
        ]
        const at = (rows: UdpRow[], port: number) => counted(rows.filter(row => row.remote_port === port))
        const from = (port: number) => counted(there.filter(row => row.local_port === port))
        t.same(at(here, 5301), sends(20, 10_000), 'sent to be received in one piece')
        t.same(from(5301), gets(udp === 'calls' ? 1 : 20, 10_000), 'received in one piece')
        t.equal(at(here, 5300).bytes_sent, 100_001)
        t.equal(from(5300).bytes_received, 100_001)
        t.equal(from(5300).received, 123)
        t.equal(at(here, 5300).sent, 123)
      },
    )

  t.test(`one unconnected socket with many peers, and one with many addresses: ${udp}`, real, async t => {
    const { near, server, client } = await stage(t)
    const seen = await watch(t, { udp })
    for (let port = 7000; port < 7010; port++) await server.socket(`bind 0.0.0.0 ${port}`)
    const { fd, port } = await client.socket('bind 0.0.0.0 0')
    await client.traffic(`spray ${fd} 100 ${LOOPBACK} 7000 10`)
    await client.traffic(`spray ${fd} 30 127.0.0.2 7000 1`)
    await settle(seen)
    const rows = seen.udpIn(near)
    const [sent, received] = [
      rows.filter(row => row.role === CLIENT),
      rows.filter(row => row.role === SERVER),
    ]
    t.same(counted(sent), sends(11, 1030))
    t.equal(sent.length, 11, 'a row for each remote address and port')
    t.ok(sent.every(row => row.local_port === port && row.pid === client.pid && !(row.flags & GUESSED)))
    t.equal(new Set(sent.map(row => row.cookie)).size, 1)
    if (udp === 'calls') return t.same(received, [], 'nobody has read them')
    t.same(counted(received), gets(11, 1030))
    t.equal(received.length, 11, 'a row for each local address and port')
    t.equal(new Set(received.map(row => row.local_port)).size, 10)
    t.ok(
      received.every(row => row.pid === server.pid && row.flags & GUESSED),
      'nobody has read them: a guess',
    )
  })

  t.test(`IP options are no payload: ${udp}`, real, async t => {
    const { near, server, client } = await stage(t)
    const seen = await watch(t, { udp })
    const bound = await server.socket(`bind ${LOOPBACK} 5300`)
    const { fd } = await client.socket('bind 0.0.0.0 0')
    await client.traffic(`datagrams ${fd} 2 100 0 ${LOOPBACK} 5300`)
    await client.do(`options ${fd}`)
    await client.traffic(`datagrams ${fd} 3 100 0 ${LOOPBACK} 5300`)
    await server.traffic(`collect ${bound.fd} 5`)
    await settle(seen)
    const [sent, received] = [
      owned(t, seen.udpIn(near), client, CLIENT),
      owned(t, seen.udpIn(near), server, SERVER),
    ]
    t.same(counted(sent), sends(5, 500))
    t.same(counted(received), gets(5, 500))
    t.equal(conversations(sent).size, 1)
    t.same(seen.kernel.lost(), {})
  })

  t.test(`an IPv6 socket that talks IPv4: ${udp}`, real, async t => {
    const { near, server, client } = await stage(t)
    const seen = await watch(t, { udp })
    const { fd } = await server.socket('bind :: 5300')
    const plain = await client.socket(`connect ${LOOPBACK} 5300 udp`)
    const mapped = await client.socket(`connect ::ffff:${LOOPBACK} 5300 udp`)
    const six = await client.socket('connect ::1 5300 udp')
    for (const socket of [plain, mapped, six]) {
      const answered = server.traffic(`resolve ${fd} 3 20`)
      await client.traffic(`ask ${socket.fd} 3 10`)
      await answered
    }
    await settle(seen)
    const rows = seen.udpIn(near)
    const [there, here] = [owned(t, rows, server, SERVER), owned(t, rows, client, CLIENT)]
    for (const [socket, family] of [
      [plain, AF_INET],
      [mapped, AF_INET],
      [six, AF_INET6],
    ] as const) {
      const own = here.filter(row => row.local_port === socket.port)
      const peer = there.filter(row => row.remote_port === socket.port)
      t.same(counted(own), { sent: 3, bytes_sent: 30, received: 3, bytes_received: 60 })
      t.same(counted(peer), { sent: 3, bytes_sent: 60, received: 3, bytes_received: 30 })
      t.ok(
        [...own, ...peer].every(row => row.family === family),
        'the family is that of the datagrams',
      )
    }
  })

  t.test(
    `multicast and broadcast: one flow for who sends, one for each who receives: ${udp}`,
    real,
    async t => {
      const { near, far, server, client, actor } = await stage(t, true)
      for (const netns of [near, far])
        await run(inNetns(netns, ['ip', 'route', 'add', '239.0.0.0/8', 'dev', 'veth']))
      const receivers = [
        { receiver: server, netns: near },
        { receiver: await actor(near), netns: near },
        { receiver: await actor(far), netns: far }, // gets the copy that ip(7), IP_MULTICAST_LOOP, speaks of
      ]
      const sockets = []
      const seen = await watch(t, { udp })
      for (const { receiver } of receivers) {
        const { fd } = await receiver.socket('bind 0.0.0.0 5353')
        await receiver.do(`join ${fd} 239.1.2.3`)
        sockets.push({ fd, receiver })
      }
      const { fd } = await client.socket('bind 10.9.0.2 0')
      t.same(await client.traffic(`datagrams ${fd} 10 100 0 239.1.2.3 5353`), sends(10, 1000))
      t.same(await client.traffic(`datagrams ${fd} 7 50 0 10.9.0.255 5353`), sends(7, 350))
      for (const { fd, receiver } of sockets)
        t.same(await receiver.traffic(`collect ${fd} 17`), gets(17, 1350), 'it got all')
      await settle(seen)
      const sent = owned(t, seen.udpIn(far), client, CLIENT)
      t.equal(conversations(sent).size, 2, 'the remote addresses are two')
      t.same(counted(sent), sends(17, 1350))
      for (const { receiver, netns } of receivers) {
        const received = owned(t, seen.udpIn(netns), receiver, SERVER)
        t.same(counted(received), gets(17, 1350))
        t.equal(
          conversations(received).size,
          udp === 'calls' ? 1 : 2,
          'the local addresses are two, of packets',
        )
      }
      t.same(seen.kernel.lost(), {})
    },
  )

  t.test(`to a port where nobody is: ${udp}`, real, async t => {
    const { near, client } = await stage(t)
    const seen = await watch(t, { udp })
    const unconnected = await client.socket('bind 127.0.0.1 0')
    t.same(await client.traffic(`datagrams ${unconnected.fd} 3 10 0 ${LOOPBACK} 9`), sends(3, 30))
    const connected = await client.socket(`connect ${LOOPBACK} 9 udp`)
    await t.rejects(client.traffic(`ask ${connected.fd} 1 10`), /ECONNREFUSED/)
    await settle(seen)
    const rows = owned(t, seen.udpIn(near), client, CLIENT)
    t.same(counted(rows), sends(4, 40))
    t.equal(conversations(rows).size, 2)
  })

  t.test(
    `io_uring sends and receives: ${udp}`,
    { skip: needs('root', 'bpf', 'netns', 'gcc', 'uring') },
    async t => {
      const { near, server, client } = await stage(t)
      const seen = await watch(t, { udp })
      const bound = await server.socket(`bind ${LOOPBACK} 5300`)
      const { fd, port } = await client.socket(`connect ${LOOPBACK} 5300 udp`)
      for (const bytes of [10, 1000]) {
        await client.do(`uring-send ${fd} ${bytes}`)
        await server.traffic(`collect ${bound.fd} 1`)
        await server.traffic(`datagrams ${bound.fd} 1 ${2 * bytes} 0 ${LOOPBACK} ${port}`)
        t.match(await client.do(`uring-receive ${fd} ${2 * bytes}`), { bytes: 2 * bytes })
      }
      await settle(seen)
      const rows = owned(t, seen.udpIn(near), client, CLIENT)
      t.same(counted(rows), { sent: 2, bytes_sent: 1010, received: 2, bytes_received: 2020 })
      t.equal(conversations(rows).size, 1)
    },
  )

  t.test(`TCP is no UDP, nor the other way round: ${udp}`, real, async t => {
    const { near, server, client } = await stage(t)
    const seen = await watch(t, { udp })
    const listener = await server.socket('listen 127.0.0.1 5300')
    const bound = await server.socket('bind 127.0.0.1 5300')
    const stream = await client.socket(`connect ${LOOPBACK} 5300`)
    const accepted = await server.socket(`accept ${listener.fd}`)
    await client.do(`send ${stream.fd} 100000`)
    await server.do(`receive ${accepted.fd} 100000`)
    const datagrams = await client.socket(`connect ${LOOPBACK} 5300 udp`)
    await client.traffic(`datagrams ${datagrams.fd} 3 10 0`)
    await server.traffic(`collect ${bound.fd} 3`)
    await settle(seen)
    t.same(counted(seen.udpIn(near).filter(row => row.role === CLIENT)), sends(3, 30))
    t.same(counted(seen.udpIn(near).filter(row => row.role === SERVER)), gets(3, 30))
    t.equal(new Set(seen.in(near).map(row => row.cookie)).size, 2)
  })
}
