/** Somebody else's program holds a cgroup alone: told as such, not as a refusal of the machine. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BpfError, open } from 'bcc-bindings'
import t from 'tap'
import { explainLoad } from '../../probe/kernel/explain.ts'
import { objectPath } from '../../probe/kernel/load.ts'
import { cgroupMounts, makeCgroup, removeCgroup } from '../harness/cgroup.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'

const OTHER = `#include <linux/bpf.h>
#define SEC(name) __attribute__((section(name), used))
SEC("cgroup_skb/egress") int egress(void *skb) { return 1; }
SEC("cgroup_skb/ingress") int ingress(void *skb) { return 1; }
SEC("sockops") int ops(void *skops) { return 1; }
char license_text[] SEC("license") = "GPL";
`

/** Ours that attaches to the same place. */
const OURS = { egress: 'udp_flow_egress', ingress: 'udp_flow_ingress', sock_ops: 'tcp_rtt' } as const

t.test('another program is attached exclusively', { skip: needs('root', 'bpf') }, async t => {
  const directory = t.testdir({})
  const [source, object] = [join(directory, 'other.c'), join(directory, 'other.o')]
  await writeFile(source, OTHER)
  const include = `-I/usr/include/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`
  await run(['clang', '-O2', '-target', 'bpf', include, '-c', source, '-o', object])
  const root = cgroupMounts().find(({ type }) => type === 'cgroup2')!.path
  const pins = `/sys/fs/bpf/sockflux-exclusive-${process.pid}`
  const cgroup = `/sockflux-exclusive-${process.pid}`
  await makeCgroup(cgroup, [root])
  t.teardown(() => removeCgroup(cgroup))
  const path = join(root, cgroup)
  await run(['bpftool', 'prog', 'loadall', object, pins])
  t.teardown(() => run(['rm', '-r', pins]))
  const attach = (type: keyof typeof OURS) => {
    const object = open(objectPath())
    try {
      for (const { name } of object.programs) object.setAutoload(name, name === OURS[type])
      object.load()
      object.attach(OURS[type], { cgroup: path })
      return 'attached'
    } catch (error) {
      if (!(error instanceof BpfError)) throw error
      return explainLoad(error) ?? error.message
    } finally {
      object.close()
    }
  }
  const pinOf = { egress: 'egress', ingress: 'ingress', sock_ops: 'ops' }
  for (const type of ['egress', 'ingress', 'sock_ops'] as const)
    for (const how of ['', 'override', 'multi']) {
      const words = [type, 'pinned', join(pins, pinOf[type])]
      await run(['bpftool', 'cgroup', 'attach', path, ...words, ...(how ? [how] : [])])
      const said = attach(type)
      if (how === 'multi') t.equal(said, 'attached', `${type} ${how}`)
      else t.match(said, /^another eBPF program is attached.*bpftool cgroup show/, `${type} ${how}`)
      await run(['bpftool', 'cgroup', 'detach', path, ...words])
    }
})
