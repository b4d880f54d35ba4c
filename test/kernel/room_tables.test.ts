/** More than the small maps hold: conversations of UDP, and cgroups with sums. */

import { join } from 'node:path'
import t from 'tap'
import { loadBinary } from '../harness/binary.ts'
import { cgroupMounts, makeCgroup, removeCgroup } from '../harness/cgroup.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, netnsOf } from '../harness/watch.ts'
import { flowsIn, startKernel } from './room_kernel.ts'
import { ended, sum, watch } from './rtt_pair.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

/** A datagram to each of so many ports, as fast as it can; nobody listens. */
const BURST = `
import socket, sys
count = int(sys.argv[1])
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for i in range(count):
    sockets[i & 1].sendto(b"x", ("127.0.0.1", 1024 + (i >> 1)))
`

t.test('30,000 conversations of UDP in a moment', real, async t => {
  const { path, close } = await createNetns()
  t.teardown(close)
  const { kernel, warnings } = await startKernel(t)
  await run(inNetns(path, ['python3', '-c', BURST, '30000']))
  t.equal(await flowsIn(kernel, 'udp_flow', path), 30_000)
  t.same(kernel.lost(), {})
  t.same(warnings, [])
})

t.test('beyond the limit of UDP conversations one is pushed out for each, and counted', real, async t => {
  const { path, close } = await createNetns()
  t.teardown(close)
  const { kernel } = await startKernel(t, { maxUdpFlows: 10_000 })
  await run(inNetns(path, ['python3', '-c', BURST, '12000']))
  const followed = await flowsIn(kernel, 'udp_flow', path)
  const { 'kernel/evicted_udp': evicted, ...others } = kernel.lost()
  t.ok(followed <= 10_000 && followed + evicted! >= 12_000, `${followed} followed, ${evicted} pushed out`)
  t.same(others, {})
})

/** A request from each of so many cgroups, by one process that moves. */
const MOVING = `
import os, socket, sys
folder, count, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(count):
    with open(f"{folder}/{i}/cgroup.procs", "w") as procs:
        procs.write(str(os.getpid()))
    with socket.create_connection(("127.0.0.1", port)) as own:
        own.sendall(b"x" * 64)
        own.recv(64)
`
const PATH = '/sockflux-test-room'
/** A small map has 512, and there is one of each role. */
const CGROUPS = 700

const root = cgroupMounts().find(({ type }) => type === 'cgroup2')?.path ?? ''
const moving = { skip: real.skip || (root === '' && 'this needs a mount of cgroup2') }

t.test(`sums of ${CGROUPS} cgroups`, moving, async t => {
  t.teardown(() => removeCgroup(PATH))
  for (let i = 0; i < CGROUPS; i++) await makeCgroup(join(PATH, String(i)), [root])
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const server = start(inNetns(netns.path, [await loadBinary(), 'server', '127.0.0.1', '8000']))
  t.teardown(() => server.close())
  await server.line(/listening/)
  const seen = await watch(t)
  const folder = join(root, PATH)
  await run(inNetns(netns.path, ['python3', '-c', MOVING, folder, String(CGROUPS), '8000']), 60_000)
  await ended(seen)
  const own = seen.totals.filter(row => row.netns === netnsOf(netns.path) && row.role === CLIENT)
  t.equal(new Set(own.map(({ cgroup }) => cgroup)).size, CGROUPS, 'each has its sums')
  const flows = seen.in(netns.path).filter(({ role }) => role === CLIENT)
  const samples = new Map(flows.map(row => [row.cookie, row.rtt_samples])) // since it was opened
  t.equal(samples.size, CGROUPS)
  t.equal(sum(own.map(row => row.rtt_samples)), sum([...samples.values()]), 'each sample is in both once')
  t.same(seen.kernel.lost(), {})
})
