import t from 'tap'
import {
  conversations,
  counted,
  GUESSED,
  LOOPBACK,
  owned,
  settle,
  stage,
  total,
  watch,
} from '../harness/datagrams.ts'
import { inNetns } from '../harness/netns.ts'
import { run, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { udpDrops } from '../harness/ss.ts'
import { CLIENT, SERVER } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

t.test('sockets that are older than the probe', real, async t => {
  const { near, server, client } = await stage(t)
  const listening = await server.socket('bind 0.0.0.0 5300')
  const unconnected = await client.socket('bind 127.0.0.1 0')
  const connected = await client.socket(`connect ${LOOPBACK} 5300 udp`)
  const exchange = async (fd: number, count: number, to: string) => {
    const answered = server.traffic(`resolve ${listening.fd} ${count} 20`)
    await client.traffic(`ask ${fd} ${count} 10${to}`)
    await answered
  }
  await exchange(connected.fd, 5, '')
  await exchange(unconnected.fd, 5, ` ${LOOPBACK} 5300`)
  const seen = await watch(t)
  await exchange(connected.fd, 2, '')
  await exchange(unconnected.fd, 3, ` ${LOOPBACK} 5300`)
  await settle(seen)
  const rows = seen.udpIn(near)
  const [there, here] = [owned(t, rows, server, SERVER), owned(t, rows, client, CLIENT)]
  t.same(counted(here), { sent: 5, bytes_sent: 50, received: 5, bytes_received: 100 }, 'what came after it')
  t.same(counted(there), { sent: 5, bytes_sent: 100, received: 5, bytes_received: 50 })
  t.equal(conversations(here).size, 2)
})

t.test('alive in a window when a datagram passed, and in no other', real, async t => {
  const { near, server, client } = await stage(t)
  const seen = await watch(t)
  const { fd } = await server.socket('bind 127.0.0.1 5300')
  const { fd: from } = await client.socket(`connect ${LOOPBACK} 5300 udp`)
  await seen.windowEnd() // what follows is at the beginning of a window
  const windows = []
  for (const [count, silent] of [
    [4, true],
    [2, false],
    [3, false],
  ] as const) {
    await client.traffic(`datagrams ${from} ${count} 10 0`)
    await server.traffic(`collect ${fd} ${count}`)
    windows.push((await seen.windowEnd()).index)
    if (silent) await seen.windowEnd()
  }
  await seen.windowEnd()
  for (const role of [CLIENT, SERVER]) {
    const rows = seen.udpIn(near).filter(row => row.role === role)
    t.same(
      rows.map(row => row.window),
      windows,
    )
    t.same(
      rows.map(row => row.packets_sent + row.packets_rcvd),
      [4, 2, 3],
    )
    t.equal(new Set(rows.map(row => row.opened_ns)).size, 1, 'it is one conversation')
    t.equal(rows[0]!.reported_ns, 0)
    t.ok(rows.slice(1).every(row => row.reported_ns > 0))
  }
})

t.test('sockets of a moment, one after the other on few ports', real, async t => {
  const { near, server, client } = await stage(t)
  const seen = await watch(t)
  const { fd } = await server.socket('bind 127.0.0.1 5300')
  for (let count = 0; count < 20; count++) {
    const answered = server.traffic(`resolve ${fd} 1 100`)
    const socket = await client.socket(`connect ${LOOPBACK} 5300 udp`)
    await client.traffic(`ask ${socket.fd} 1 40`)
    await client.do(`close ${socket.fd}`)
    await answered
  }
  await settle(seen)
  const rows = owned(t, seen.udpIn(near), client, CLIENT)
  t.same(counted(rows), { sent: 20, bytes_sent: 800, received: 20, bytes_received: 2000 })
  t.equal(new Set(rows.map(row => row.cookie)).size, 20)
})

t.test('of packets, who created a socket is a guess, who uses it is the owner', real, async t => {
  const { near, server, client } = await stage(t)
  const seen = await watch(t, { udp: 'packets' })
  const { fd } = await server.socket('bind 127.0.0.1 5300')
  const worker = await server.fork()
  const { fd: from } = await client.socket(`connect ${LOOPBACK} 5300 udp`)
  const sent = async () => {
    await client.traffic(`datagrams ${from} 1 10 0`)
    const { index } = await seen.windowEnd()
    return seen.udpIn(near).find(row => row.window === index && row.role === SERVER)
  }
  const guessed = await sent()
  t.equal(guessed?.pid, server.pid)
  t.ok(guessed!.flags & GUESSED)
  await worker.traffic(`collect ${fd} 1`)
  const used = await sent()
  t.equal(used?.pid, worker.pid)
  t.notOk(used!.flags & GUESSED)
  await server.traffic(`collect ${fd} 1`)
  t.equal((await sent())?.pid, server.pid, 'and the last user wins')
})

t.test('whoever receives is the owner, and the last user wins', real, async t => {
  const { near, server, client } = await stage(t)
  const seen = await watch(t)
  const { fd } = await server.socket('bind 127.0.0.1 5300')
  const worker = await server.fork()
  const { fd: from } = await client.socket(`connect ${LOOPBACK} 5300 udp`)
  for (const receiver of [worker, server]) {
    await client.traffic(`datagrams ${from} 1 10 0`)
    t.same(
      seen.udpIn(near).filter(row => row.role === SERVER && row.pid === receiver.pid),
      [],
      'nobody before it is read',
    )
    await receiver.traffic(`collect ${fd} 1`)
    const { index } = await seen.windowEnd()
    const row = seen.udpIn(near).find(row => row.window === index && row.role === SERVER)
    t.equal(row?.pid, receiver.pid)
    t.notOk(row!.flags & GUESSED)
  }
})

t.test('what a socket has no room for is dropped, and counted', real, async t => {
  const { near, server, client } = await stage(t)
  for (const udp of ['calls', 'packets'] as const) {
    const seen = await watch(t, { udp })
    const { fd, port } = await server.socket(`bind ${LOOPBACK} 0`)
    const silent = await server.socket(`bind ${LOOPBACK} 0`)
    for (const each of [fd, silent.fd]) await server.do(`room ${each} 2000`)
    const { fd: from } = await client.socket('bind 0.0.0.0 0')
    await client.traffic(`datagrams ${from} 1 10 0 ${LOOPBACK} ${port}`)
    await server.traffic(`collect ${fd} 1`)
    for (const each of [port, silent.port])
      await client.traffic(`datagrams ${from} 50 500 0 ${LOOPBACK} ${each}`)
    await settle(seen)
    const dropped = (local: number) =>
      seen
        .udpIn(near)
        .filter(row => row.local_port === local)
        .reduce((sum, row) => sum + row.udp_dropped, 0)
    for (const { port: each, what } of [
      { port, what: 'one that was read before' },
      { port: silent.port, what: 'one that nobody has read' },
    ]) {
      const drops = (await udpDrops(near)).get(each) ?? 0
      t.ok(drops > 0, `${drops} dropped`)
      t.equal(dropped(each), drops, `${udp}: ${what}`)
    }
    await seen.close()
  }
})

/** Sends and receives until its cookie has the place of `fd` in the cache of sockets: 2^14 places. */
const SAME_PLACE = `
import socket, sys
SO_COOKIE, PLACES = 57, 1 << 14
def place(sock):
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), "little") % PLACES
def udp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("${LOOPBACK}", 0))
    sock.settimeout(2)
    return sock
def send(to, count, size):
    for _ in range(count):
        client.sendto(b"x" * size, to.getsockname())
full, client = udp(), udp()
full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2000)
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while place(other) != place(full):
    other.close()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(("${LOOPBACK}", 0))
for each in full, other, full:
    send(each, 1, 10)
    each.recvfrom(100)
send(full, 50, 500)
print(full.getsockname()[1], flush=True)
sys.stdin.read()
`

t.test('what is dropped is of the process that reads, whatever other sockets do', real, async t => {
  const { near } = await stage(t)
  for (const udp of ['calls', 'packets'] as const) {
    const seen = await watch(t, { udp })
    const reader = start(inNetns(near, ['python3', '-c', SAME_PLACE]))
    t.teardown(() => reader.close())
    const port = Number(await reader.line(/^\d+$/))
    await settle(seen)
    const drops = (await udpDrops(near)).get(port) ?? 0
    t.ok(drops > 0, `${drops} dropped`)
    const rows = seen.udpIn(near).filter(row => row.local_port === port)
    t.same([...new Set(rows.map(row => row.pid))], [reader.pid], `${udp}: no conversation without a process`)
    t.equal(
      rows.reduce((sum, row) => sum + row.udp_dropped, 0),
      drops,
    )
    await reader.close()
    await seen.close()
  }
})

const translated = { skip: needs('root', 'bpf', 'netns', 'gcc', 'iptables') }
for (const udp of ['calls', 'packets'] as const)
  t.test(`a request that is translated on its way is one conversation: ${udp}`, translated, async t => {
    const { near, server, client } = await stage(t)
    const rule = '-t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to 127.0.0.1:5353'
    await run(inNetns(near, ['iptables', ...rule.split(' ')]))
    const { fd } = await server.socket('bind 127.0.0.1 5353')
    const seen = await watch(t, { udp })
    const connected = await client.socket('connect 127.0.0.11 53 udp')
    const unconnected = await client.socket('bind 0.0.0.0 0')
    for (const [socket, to] of [
      [connected, ''],
      [unconnected, ' 127.0.0.11 53'],
    ] as const) {
      const answered = server.traffic(`resolve ${fd} 5 200`)
      await client.traffic(`ask ${socket.fd} 5 30${to}`)
      await answered
    }
    await settle(seen)
    const rows = owned(t, seen.udpIn(near), client, CLIENT)
    t.equal(conversations(rows).size, 2, 'one for each socket')
    t.same(counted(rows), { sent: 10, bytes_sent: 300, received: 10, bytes_received: 2000 })
    if (udp === 'packets') return
    t.ok(
      rows.every(row => row.remote_port === 53),
      'with the address that was asked',
    )
    t.equal(conversations(owned(t, seen.udpIn(near), server, SERVER)).size, 2, 'and so is it for the server')
  })

t.test('a lookup of a name is a flow to port 53', real, async t => {
  const { near, server } = await stage(t)
  const seen = await watch(t)
  const { fd } = await server.socket('bind 127.0.0.1 53')
  const program = `
    const { Resolver } = require('node:dns')
    const resolver = new Resolver({ tries: 1, timeout: 100 })
    resolver.setServers(['127.0.0.1'])
    resolver.resolve4('shop.example', () => {})
    const comm = require('node:fs').readFileSync('/proc/self/comm', 'utf8').trim()
    console.log(JSON.stringify({ pid: process.pid, comm }))`
  const asker = JSON.parse(await run(inNetns(near, [process.execPath, '--eval', program]))) as object
  const asked = await server.traffic(`collect ${fd} 1`)
  await settle(seen)
  const [lookup, ...others] = seen.udpIn(near).filter(row => row.role === CLIENT)
  t.same(others, [])
  t.match(lookup, { ...asker, remote_port: 53, packets_sent: 1, bytes_sent: asked.bytes_received })
})

t.test('more conversations than there is room for: the oldest go, and no byte with them', real, async t => {
  const { near, server, client } = await stage(t)
  const seen = await watch(t, { maxUdpFlows: 1024 })
  const busy = await server.socket('bind 127.0.0.1 5300')
  const asking = await client.socket(`connect ${LOOPBACK} 5300 udp`)
  const { fd } = await client.socket('bind 127.0.0.1 0')
  const told = []
  for (const first of [10_000, 20_000, 10_000]) {
    for (let port = first; port < first + 1500; port += 100) {
      const answered = server.traffic(`resolve ${busy.fd} 1 20`)
      told.push(await client.traffic(`ask ${asking.fd} 1 10`))
      await answered
      told.push(await client.traffic(`spray ${fd} 10 ${LOOPBACK} ${port} 100`))
    }
  }
  await settle(seen)
  await seen.windowEnd()
  const rows = seen.udpIn(near).filter(row => row.pid === client.pid)
  t.same(counted(rows), total(told), 'each datagram is in one row')
  const evicted = seen.kernel.lost()['kernel/evicted_udp'] ?? 0
  t.ok(evicted >= 3 * 1500 - 1024 && evicted <= 3 * 1500 + 2, `${evicted} were pushed out`)
  const used = rows.filter(row => row.local_port === asking.port)
  t.equal(new Set(used.map(row => row.opened_ns)).size, 1, 'one that is in use is not')
})

/** A raw socket of protocol UDP sends four bytes that are no datagram, and a whole one, and receives both. */
const RAW = `
import socket
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.settimeout(2)
for data in (b"\\0\\0\\0\\0", b"\\0\\1\\0\\2\\0\\14\\0\\0abcd"):
    raw.sendto(data, ("${LOOPBACK}", 0))
    raw.recv(100)
`

t.test('raw sockets have no conversations', real, async t => {
  const { near } = await stage(t)
  const seen = await watch(t)
  await run(inNetns(near, ['python3', '-c', RAW]))
  await settle(seen)
  t.same(seen.udpIn(near), [])
  t.same(seen.kernel.lost(), {})
})
