/** Conversations with a service whose address a balancer changes within the calls, whoever was attached first. */

import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { mountCgroup2 } from 'bcc-bindings'
import t, { type Test } from 'tap'
import { counted, settle, watch } from '../harness/datagrams.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, SERVER } from '../harness/watch.ts'
import { compile, opened } from '../native/compile.ts'

const skip = needs('root', 'bpf', 'netns')

/** One socket asks the service three times and another server twice; each answers. */
const TALK = `
import socket
def server(ip, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((ip, port)); s.settimeout(2); return s
service, other = ('10.96.0.20', 53), ('127.77.0.2', 54)
servers = {service: server('127.77.0.1', 5301), other: server(*other)}
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); client.settimeout(2)
for to in [service, other, service, other, service]:
    client.sendto(b'x' * 10, to)
    data, peer = servers[to].recvfrom(100)
    servers[to].sendto(b'y' * 20, peer)
    data, peer = client.recvfrom(100)
    assert peer == to, peer
`

function attachBalancer(t: Test): void {
  const object = opened(t, compile('balancer', join(import.meta.dirname, 'bpf')))
  object.load()
  const cgroup = mountCgroup2()
  t.teardown(() => closeSync(cgroup))
  for (const program of ['to_backend', 'from_backend']) object.attach(program, { cgroup })
}

for (const isBefore of [true, false])
  t.test(`attached ${isBefore ? 'before' : 'after'} the probe`, { skip }, async t => {
    const netns = await createNetns()
    t.teardown(() => netns.close())
    if (isBefore) attachBalancer(t)
    const seen = await watch(t)
    if (!isBefore) attachBalancer(t)
    await run(inNetns(netns.path, ['python3', '-c', TALK]))
    await settle(seen)
    const rows = seen.udpIn(netns.path)
    /** By the peer's port: the service's and its backend's differ. */
    const told = (role: number) =>
      [...Map.groupBy(rows, row => `${row.role} ${row.cookie} ${row.remote_port}`).values()]
        .filter(([row]) => row!.role === role)
        .map(flow => ({
          ...(role === CLIENT && { port: flow[0]!.remote_port }),
          ...counted(flow),
        }))
        .sort((a, b) => a.sent - b.sent)
    const few = { sent: 2, bytes_sent: 20, received: 2, bytes_received: 40 }
    const more = { sent: 3, bytes_sent: 30, received: 3, bytes_received: 60 }
    t.same(told(CLIENT), [
      { port: 54, ...few },
      { port: 53, ...more },
    ])
    t.same(told(SERVER), [
      { ...few, bytes_sent: 40, bytes_received: 20 },
      { ...more, bytes_sent: 60, bytes_received: 30 },
    ])
    t.same(seen.kernel.lost(), {})
  })
