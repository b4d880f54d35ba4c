import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Bundles } from '../../probe/identify/disk/bundle.ts'
import { Identifier } from '../../probe/identify/identify.ts'
import { loadBinary } from '../harness/binary.ts'
import { cgroupMounts, cgroupRoots, makeCgroup, removeCgroup } from '../harness/cgroup.ts'
import { type Cgroups, DRIVERS, LAYOUTS } from '../harness/cgroup_layout.ts'
import type { Row } from '../harness/flow_rows.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { startNode } from '../harness/node.ts'
import { type Container, IDLE } from '../harness/pod.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { byFlow, CLIENT, SERVER, tcpOf, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'containerd', 'hybrid') }

/** The container that each row's cgroup belongs to, by the names that came from the kernel. */
function identify({ kernel, names, records }: Watch, states: readonly string[] = []) {
  const identifier = new Identifier(
    kernel.layout('cgroup_path'),
    kernel.layout('process'),
    new Bundles(states),
  )
  for (const paths of names.cgroup_path) identifier.learn(paths)
  const { cgroups, containers } = identifier.namesOf(tcpOf(kernel).layout, Buffer.concat(records))
  const containerOf = ({ hierarchy, cgroup }: Row) => cgroups[`${hierarchy}:${cgroup}`]
  return { containerOf, containers }
}

/** A pod of two containers, `a` and `b`, that share a network namespace and so have only their cgroups to tell them apart. */
async function stage(t: Test, cgroups: Cgroups) {
  const node = await startNode(cgroups)
  t.teardown(() => node.close())
  const containers = [
    { name: 'a', command: IDLE },
    { name: 'b', command: IDLE },
  ] as const
  const pod = await node.runPod({ name: 'web-0', namespace: 'shop', containers })
  const load = async (container: Container, ...words: string[]) => {
    const child = node.start(container, ['/bin/load', ...words])
    if (words[0] === 'server') await child.line(/listening/)
    return child
  }
  return { node, pod, load, ...pod.containers }
}

async function watch(t: Test): Promise<Watch> {
  const watch = await Watch.start()
  t.teardown(() => watch.close())
  return watch
}

for (const layout of LAYOUTS)
  for (const driver of DRIVERS)
    t.test(`each flow is its container's: ${layout}, ${driver}`, real, async t => {
      const { node, pod, load, a, b } = await stage(t, { layout, driver })
      await load(a, 'server', '127.0.0.1', '8000')
      const fromA = await load(a, 'client')
      const fromB = await load(b, 'client')
      t.match(await fromB.ask('open 3 127.0.0.1 8000'), { opened: 3 })
      const seen = await watch(t)
      t.match(await fromB.ask('open 4 127.0.0.1 8000'), { opened: 4 }, 'the listener predates the probe')
      await load(b, 'server', '127.0.0.1', '8001')
      t.match(await fromA.ask('open 5 127.0.0.1 8001'), { opened: 5 })
      t.match(await fromA.ask('churn 7 127.0.0.1 8001'), { churned: 7 })
      await seen.windowEnd()
      await fromA.ask('close')
      await fromB.ask('close')
      await seen.windowEnd()

      const { containerOf, containers } = identify(seen, [node.containerd.stateDir])
      const rows = seen.in(pod.netns)
      const flows = (container: Container, role: number) =>
        byFlow(rows.filter(row => containerOf(row) === container.id && row.role === role)).size
      t.equal(flows(b, CLIENT), 7)
      t.equal(flows(a, SERVER), 7)
      t.equal(flows(a, CLIENT), 12)
      t.equal(flows(b, SERVER), 12)
      t.equal(byFlow(rows).size, 38, 'and none is anybody else')
      for (const { id, name } of [a, b]) t.match(containers[id], { name, pod: pod.uid })
      t.same(seen.kernel.lost(), {})
    })

const [outer, inner] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
const base = `/sockflux-test-${process.pid}`
/** A user's service in a systemd that runs in a container. */
const deep = '/user.slice/user-1000.slice/user@1000.service/app.slice/app-web.slice/x.service'
const SPLIT = [
  { v2: `/docker/${inner}${deep}`, v1: '', id: inner, what: 'v2, deep in a container' },
  { v2: `/lxc/101/ns${deep}`, v1: '', id: 'lxc/101', what: 'deep in LXC' },
  { v2: `/docker/${outer}${deep}/docker/${inner}${deep}`, v1: '', id: inner, what: 'and twice' },
  { v2: `/docker/${inner}${'/a'.repeat(28)}`, v1: '', id: inner, what: '31 levels' },
  { v2: '', v1: '', id: undefined, what: 'in no container' },
  { v2: '/docker.service', v1: `/docker/${inner}`, id: inner, what: 'v1, and the runtime is a service' },
  { v2: `/docker/${outer}`, v1: `/docker/${outer}/docker/${inner}`, id: inner, what: 'v1 in a container' },
  {
    v2: `/docker/${inner}`,
    v1: '/process_api/0123456789abcdef0123456789abcdef',
    id: inner,
    what: 'v2, and v1 set by others',
  },
  {
    v2: `/docker/${inner}/system.slice/a.service`,
    v1: `/docker/${inner}`,
    id: inner,
    what: 'systemd in a container',
  },
]

t.test('where v1 and v2 disagree, the container is the one that one of them names', real, async t => {
  const netns = await createNetns()
  t.teardown(() => netns.close())
  t.teardown(() => removeCgroup(base))
  const v1 = cgroupRoots().find(path => path.endsWith('/pids'))!
  const v2 = cgroupMounts().find(({ type }) => type === 'cgroup2')!.path
  const seen = await watch(t)
  const clients = []
  for (const split of SPLIT) {
    const directories = [join(v1, base + split.v1), join(v2, base + split.v2)]
    await makeCgroup(base + split.v1, [v1])
    await makeCgroup(base + split.v2, [v2])
    const enter = 'echo $$ > "$1"/cgroup.procs && echo $$ > "$2"/cgroup.procs && shift 2 && exec "$@"'
    const command = ['sh', '-c', enter, 'sh', ...directories, await loadBinary(), 'client']
    const client = start(inNetns(netns.path, command))
    t.teardown(() => client.close())
    t.match(await client.ask('open 1 127.0.0.1 9'), { failed: 1 })
    clients.push({ ...split, pid: client.pid })
  }
  await seen.windowEnd()
  await seen.windowEnd()
  const { containerOf } = identify(seen)
  const rows = seen.in(netns.path)
  for (const { pid, id, what } of clients)
    t.same(rows.filter(row => row.pid === pid).map(containerOf), [id], what)
})
