import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startActor } from './actor.ts'
import { loadBinary } from './binary.ts'
import { cgroupRoots, processesIn } from './cgroup.ts'
import { link } from './delay.ts'
import { sweep } from './leftovers.ts'
import { createNetns, inNetns } from './netns.ts'
import { type Node, startNode } from './node.ts'
import { IDLE } from './pod.ts'
import { run, start } from './process.ts'
import { needs } from './skip.ts'
import { parseSs, ss } from './ss.ts'

const network = { skip: needs('root', 'netns', 'tun', 'gcc', 'ss') }
const pods = { skip: needs('root', 'netns', 'tun', 'gcc', 'ss', 'containerd') }

t.test('a line of ss becomes a socket', async t => {
  const socket = parseSs(
    'ESTAB 0 0 [::ffff:10.0.0.1]:443 [fd00::2%eth0]:5000 users:(("load",pid=7,fd=3),("load",pid=8,fd=3)) ' +
      'ino:9 sk:2a cgroup:/a/b <-> bbr rtt:20.079/0.5 mss:1448 bytes_sent:300 bytes_retrans:100 ' +
      'bytes_acked:301 bytes_received:200 retrans:0/3',
  )
  t.match(socket, { state: 'ESTAB', local: { address: '::ffff:10.0.0.1', port: 443 }, peer: { port: 5000 } })
  t.match(socket, { cookie: '2a', cgroup: '/a/b', processes: [{ name: 'load', pid: 7, fd: 3 }, { pid: 8 }] })
  t.match(socket, { rttMs: 20.079, rttvarMs: 0.5, retransmits: 3 })
  t.match(socket, { bytesSent: 300, bytesAcked: 301, bytesReceived: 200 })
})

t.test('a wire delays and loses packets, and goes with close()', network, async t => {
  const [a, b] = [await createNetns('a'), await createNetns('b')]
  t.teardown(() => Promise.all([a.close(), b.close()]))
  const wire = await link({ ...ends(a.path, b.path), rttMs: 20, dropEvery: 10 })
  t.teardown(() => wire.close())
  const server = start(inNetns(b.path, [await loadBinary(), 'server', '10.9.0.2', '80', '--mode', 'discard']))
  t.teardown(() => server.close())
  await server.line(/listening/)
  const client = start(inNetns(a.path, [await loadBinary(), 'client']))
  t.teardown(() => client.close())
  t.match(await client.ask('open 1 10.9.0.2 80'), { opened: 1 })
  t.same(await client.ask('send 0 100000'), { sent: 100_000 })
  const [socket] = await ss({ netns: a.path, filter: ['dport', '=', ':80'] })
  t.ok(socket!.rttMs! >= 20, `the round trip takes at least 20 ms: ${socket!.rttMs}`)
  t.ok(socket!.bytesSent > 100_000 && socket!.retransmits > 0, 'what is lost is sent again')
  const [there] = await wire.packets()
  t.equal(there.dropped, Math.floor(there.seen / 10))
  await wire.close()
  t.notOk((await interfaces(a.path)).includes('wire'), 'the devices end with the wire')
})

t.test('a start that fails leaves nothing', network, async t => {
  const a = await createNetns('a')
  t.teardown(() => a.close())
  await t.rejects(link({ ...ends(a.path, '/nonexistent'), rttMs: 1 }), /No such file/)
  await t.rejects(link({ ...ends(a.path, a.path), addrB: 'nowhere', rttMs: 1 }))
  t.notOk((await interfaces(a.path)).includes('wire'))
})

t.test('the workload does exactly what it is told', network, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const load = async (...words: string[]) => {
    const child = start(inNetns(netns.path, [await loadBinary(), ...words]))
    t.teardown(() => child.close())
    return child
  }
  const servers = {
    echo: await load('server', '127.0.0.1', '8000', '--ports', '4', '--forks', '2'),
    hangup: await load('server', '127.0.0.1', '8100', '--mode', 'hangup'),
    v6: await load('server', '::1', '8000'),
    udp: await load('server', '127.0.0.1', '8000', '--transport', 'udp'),
  }
  for (const server of Object.values(servers)) await server.line(/listening/)
  const client = await load('client')
  const opened = await client.ask<{ opened: number; ports: number[] }>('open 23 127.0.0.1 8000 4')
  t.equal(opened.opened, 23)
  t.match(await client.ask('open 2 ::1 8000'), { opened: 2 })
  t.same(await client.ask('echo 3 100'), { echoed: 75 })
  const sockets = await ss({ netns: netns.path, filter: ['src', '127.0.0.1', 'dport', '<=', ':8003'] })
  t.same(sockets.map(socket => socket.local.port).sort(), [...opened.ports].sort())
  t.ok(sockets.every(socket => socket.bytesSent === 300 && socket.bytesReceived === 300))
  t.same(await client.ask('churn 10000 127.0.0.1 8000 4'), { churned: 10_000 })
  t.same(await client.ask('churn 500 127.0.0.1 8100 1 hangup'), { churned: 500 })
  t.same(await client.ask('open 3 127.0.0.1 9'), { ports: [], opened: 0, failed: 3, error: 'ECONNREFUSED' })
  t.match(await servers.echo.ask('stats'), { accepted: 10_023, bytes: 6900 })
  t.same(await servers.hangup.ask('stats'), { accepted: 500, open: 0, bytes: 0 })
  t.same(await client.ask('reset'), { closed: 25 })
  const datagrams = await load('client', '--transport', 'udp')
  t.match(await datagrams.ask('open 2 127.0.0.1 8000'), { opened: 2 })
  t.same(await datagrams.ask('echo 5 100'), { echoed: 10 })
})

t.test('actors pass sockets on, and say what they did with them', network, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const actor = async () => {
    const actor = await startActor(netns.path)
    t.teardown(() => actor.close())
    return actor
  }
  const [server, client] = [await actor(), await actor()]
  const holders = async (port: number) => {
    const [socket] = await ss({ netns: netns.path, filter: ['sport', '=', `:${port}`] })
    return socket!.processes.map(({ pid }) => pid).sort()
  }
  const { fd } = await server.socket('listen 127.0.0.1 8000')
  const child = await server.fork()
  const connected = await client.socket('connect 127.0.0.1 8000')
  const accepted = await child.socket(`accept ${fd}`)
  t.same([accepted.port, accepted.peer], [connected.peer, connected.port])
  t.same(await holders(8000), [child.pid])
  const passed = await child.give(accepted.fd, server)
  t.same(await holders(8000), [child.pid, server.pid].sort())
  await client.do(`send ${connected.fd} 100000`)
  t.same(await server.do(`thread receive ${passed.fd} 100000`), { bytes: 100_000 })
  const [socket] = await ss({ netns: netns.path, filter: ['sport', '=', ':8000'] })
  t.equal(socket!.bytesReceived, 100_000)
  await t.rejects(client.do('connect 127.0.0.1 9'), /ECONNREFUSED/)
  const bound = await server.socket('bind 127.0.0.1 5300')
  const asking = await client.socket('connect 127.0.0.1 5300 udp')
  const answered = server.traffic(`resolve ${bound.fd} 3 20`)
  const traffic = { sent: 3, bytes_sent: 30, received: 3, bytes_received: 60 }
  t.same(await client.traffic(`ask ${asking.fd} 3 10`), traffic)
  t.same(await answered, { sent: 3, bytes_sent: 60, received: 3, bytes_received: 30 })
})

t.test('pods run, talk over a delayed wire, and go', pods, async t => {
  const node = await startNode()
  t.teardown(() => node.close())
  const [web, client] = [await runPod(node, 'web'), await runPod(node, 'client')]
  const wire = await link({ ...ends(client.netns, web.netns), rttMs: 20 })
  t.teardown(() => wire.close())

  const server = node.start(web.containers.main, ['/bin/load', 'server', '10.9.0.2', '80'])
  await server.line(/listening/)
  const load = node.start(client.containers.main, ['/bin/load', 'client'])
  t.match(await load.ask('open 1 10.9.0.2 80'), { opened: 1 })
  t.same(await load.ask('echo 3 100'), { echoed: 3 })
  const [socket] = await ss({ netns: client.netns, filter: ['dport', '=', ':80'] })
  t.ok(socket!.rttMs! >= 20 && socket!.rttMs! <= 30, `the round trip takes 20 to 30 ms: ${socket!.rttMs}`)
  const { pid, name } = socket!.processes[0]!
  t.equal(name, 'load')
  t.ok(
    processesIn(client.containers.main.cgroup).includes(pid),
    'the load is in its container, for the kernel',
  )
  t.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), client.containers.main.id)

  const once = await node.exec(client.containers.main, ['/bin/load', 'client', 'open 2 10.9.0.2 80', 'quit'])
  t.match(once, { exitCode: 0, stdout: /"opened":2/ })
  const bundle = join(
    node.containerd.stateDir,
    'io.containerd.runtime.v2.task/k8s.io',
    web.containers.idle.id,
  )
  t.ok(existsSync(join(bundle, 'config.json')))

  await node.stopContainer(web.containers.idle)
  t.same(processesIn(web.containers.idle.cgroup), [])
  const again = { name: 'idle', command: IDLE, attempt: 1 }
  t.not((await node.addContainer(web, again)).id, web.containers.idle.id)
  const host = await runPod(node, 'host', true)
  t.equal(host.ip, '')

  await wire.close()
  await node.close()
  const everything = [web, client, host].map(pod => pod.uid)
  t.same(
    leftCgroups().filter(path => everything.some(uid => path.includes(uid))),
    [],
  )
  t.notOk(existsSync(node.containerd.directory))
})

t.test('the next run removes what a killed one left', pods, async t => {
  const program = `
    import { startNode } from ${JSON.stringify(import.meta.resolve('./node.ts'))}
    const node = await startNode()
    const idle = { name: 'idle', command: ${JSON.stringify(IDLE)} }
    const pod = await node.runPod({ name: 'left', namespace: 'shop', containers: [idle] })
    console.log(JSON.stringify({ uid: pod.uid, directory: node.containerd.directory }))
    setInterval(() => {}, 1000)`
  const victim = start([process.execPath, '--input-type=module-typescript', '--eval', program])
  t.teardown(() => victim.close())
  const { uid, directory } = JSON.parse(await victim.line(/^\{/, 30_000)) as {
    uid: string
    directory: string
  }
  await victim.kill('SIGKILL')
  t.ok(existsSync(directory) && leftCgroups().some(path => path.includes(uid)))
  await sweep()
  t.notOk(existsSync(directory) || leftCgroups().some(path => path.includes(uid)))
  t.notMatch(readFileSync('/proc/self/mounts', 'utf8'), directory)
  t.same(
    readdirSync(tmpdir()).filter(name => name.includes(`-${victim.pid}-`)),
    [],
  )
})

t.test('nothing is left', async t => {
  const mine = new RegExp(`sockflux-\\w+-${process.pid}-`)
  t.same(
    readdirSync(tmpdir()).filter(name => mine.test(name)),
    [],
  )
  t.notMatch(readFileSync('/proc/self/mounts', 'utf8'), mine)
  const commands = readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  t.same(
    commands.filter(pid => mine.test(commandLine(pid))),
    [],
  )
})

function ends(nsA: string, nsB: string) {
  return { nsA, nsB, addrA: '10.9.0.1', addrB: '10.9.0.2' }
}

function interfaces(netns: string): Promise<string> {
  return run(inNetns(netns, ['ip', '-brief', 'link']))
}

function runPod(node: Node, name: string, hostNetwork = false) {
  const containers = [
    { name: 'main', command: IDLE },
    { name: 'idle', command: IDLE },
  ] as const
  return node.runPod({ name: `${name}-0`, namespace: 'shop', hostNetwork, containers })
}

function leftCgroups(): string[] {
  return cgroupRoots().flatMap(root => {
    const pods = join(root, 'kubepods/burstable')
    return existsSync(pods) ? readdirSync(pods) : []
  })
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
