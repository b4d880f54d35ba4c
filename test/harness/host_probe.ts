/**
 * `node host_probe.ts HOST NETNS POD NAMESPACE COLLECTOR…`: the probe of one host of several on this machine. The kernel's side, the
 * reader and the link are those of a probe; its rows are those of one network namespace, which is a pod's. It says `attached`.
 */

import { statSync } from 'node:fs'
import { pino } from 'pino'
import { Heads } from '../../probe/heads.ts'
import { kernelClock } from '../../probe/kernel/clock.ts'
import { Publisher } from '../../probe/publish/publish.ts'
import { SendOffset } from '../../probe/publish/send_offset.ts'
import { Reader } from '../../probe/read/read.ts'
import type { WindowNames } from '../../wire/message.ts'
import { byNetns } from './by_netns.ts'
import { kernelWith } from './watch.ts'

const INTERVAL = 1
const [host = '', path = '', pod = '', namespace = '', ...collectors] = process.argv.slice(2)
const netns = statSync(path).ino
const container = 'c'.repeat(64)
const names: WindowNames = {
  ...{ cgroups: {}, netns: { [netns]: container }, running: [container] },
  containers: { [container]: { runtime: 'cri', name: 'main', pod: `uid of ${pod}` } },
  pods: { [`uid of ${pod}`]: { name: pod, namespace } },
}

const identity = { host, boot: `boot of ${host}`, probe: `run of ${host}` }
const kernel = kernelWith({}, (ring, records) => {
  if (ring !== 'cgroup_path' && ring !== 'process') reader.take(ring, records)
})
const reader = new Reader(kernel, kernelClock, INTERVAL)
const publisher = new Publisher(
  { collectors, sendTo: 'all', queueBytes: 2 ** 24, sendOffset: new SendOffset(host, 0, INTERVAL) },
  identity,
  pino({ level: 'silent' }),
)
const heads = new Heads(identity, INTERVAL, () => ({}))
process.once('SIGTERM', () => reader.stop())
await kernel.scan()
process.stdout.write('attached\n')
for await (const { window, rows } of reader.read()) {
  const own = rows && byNetns(rows).get(netns)
  if (own) publisher.add(own, names, () => heads.of(window))
  if (!rows) publisher.end(heads.end(window), names)
}
await publisher.close(0)
kernel.close()
