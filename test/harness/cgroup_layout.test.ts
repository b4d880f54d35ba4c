import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cgroupRoots, processesIn } from './cgroup.ts'
import { cgroupPath, DRIVERS, LAYOUTS } from './cgroup_layout.ts'
import { startNode } from './node.ts'
import { IDLE } from './pod.ts'
import { needs } from './skip.ts'
import { until } from './until.ts'

const real = { skip: needs('root', 'netns', 'gcc', 'containerd', 'hybrid') }

t.test('systemd names slices after their parents, and scopes after the runtime', async t => {
  const named = (path: string) => cgroupPath({ layout: 'v2', driver: 'systemd' }, path)
  t.equal(named('/docker/ab'), '/system.slice/docker-ab.scope')
  t.equal(named('/libpod_parent/libpod-ab'), '/machine.slice/libpod-ab.scope')
  t.equal(named('/kubepods/pod1-2/ab'), '/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-ab.scope')
  t.equal(
    named('/kubepods/burstable/pod1-2'),
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice',
  )
  t.equal(cgroupPath({ layout: 'v2', driver: 'cgroupfs' }, '/docker/ab'), '/docker/ab')
})

for (const layout of LAYOUTS)
  for (const driver of DRIVERS)
    t.test(`a pod is in its cgroup: ${layout}, ${driver}`, real, async t => {
      const own = readFileSync('/proc/self/cgroup', 'utf8')
      const node = await startNode({ layout, driver })
      t.teardown(() => node.close())
      const containers = [{ name: 'main', command: IDLE }] as const
      const pod = await node.runPod({ name: 'web-0', namespace: 'shop', containers })
      const { cgroup, id, pid } = pod.containers.main
      const unified = (text: string) => text.split('\n').filter(line => line.startsWith('0::'))
      const controller = (text: string) => text.split('\n').filter(line => line.includes(':pids:'))

      t.match(cgroup, driver === 'systemd' ? `cri-containerd-${id}.scope` : `/${id}`)
      t.ok(cgroup.startsWith(`${pod.cgroup}/`))
      t.ok(processesIn(cgroup).includes(pid))
      const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      t.same(unified(lines), layout === 'v1' ? unified(own) : [`0::${cgroup}`])
      if (layout === 'v2') t.same(controller(lines), controller(own))
      else t.match(controller(lines)[0], new RegExp(`:pids:${cgroup.replaceAll('.', '\\.')}$`))
      node.start(pod.containers.main, IDLE)
      await until('a process that is started in it later', () => processesIn(cgroup).length === 2)

      await node.close()
      t.same(
        cgroupRoots().filter(root => existsSync(join(root, pod.cgroup))),
        [],
        'no cgroup is left',
      )
    })
