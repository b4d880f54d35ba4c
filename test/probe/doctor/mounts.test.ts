import t, { type Test } from 'tap'
import { mounts } from '../../../probe/doctor/mounts.ts'
import { world } from './world.ts'

const POD = '1 2 0:1 /var/lib/kubelet/pods/6f/etc-hosts /etc/hosts rw - ext4 /dev/vda rw\n'
const DOCKER = '1 2 0:1 /var/lib/docker/containers/6f/hosts /etc/hosts rw - ext4 /dev/vda rw\n'

const of = async (t: Test, mountinfo: string, files: Readonly<Record<string, string>>) =>
  [await mounts(await world(t, { 'proc/self/mountinfo': mountinfo, ...files }))].flat()
const running = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name, index) => [`proc/${index + 7}/comm`, `${name}\n`]))

t.test('a runtime runs on the node, and its directory is not mounted', async t => {
  const found = await of(t, POD, { ...running('containerd-shim', 'sh'), 'var/log/pods/x': '' })
  t.match(found, [
    {
      ok: 'warn',
      found:
        /^containerd runs on this node, and \/run\/containerd\/io\.containerd\.runtime\.v2\.task is not mounted here: /,
      remedy:
        /`- \{name: io-containerd-runtime-v2-task, mountPath: \/run\/containerd\/\S+, readOnly: true, .*hostPath: \{path: /,
    },
  ])
  t.equal(found.length, 1)
})

t.test('each is a sentence of its own', async t => {
  const found = await of(t, POD, running('containerd-shim', 'dockerd', 'conmon'))
  t.same(
    found.map(({ found }) => /^(.*) runs on/.exec(found)?.[1]),
    ['containerd', 'Docker', 'CRI-O or podman', 'kubelet'],
  )
})

t.test('in a container of Docker the line is an option', async t => {
  const found = await of(t, DOCKER, running('dockerd'))
  t.match(found, [
    { remedy: 'start it with `-v /var/lib/docker/containers:/var/lib/docker/containers:ro,rslave`' },
  ])
})

t.test('what is there, what does not run, and a host are fine', async t => {
  const there = { 'run/containerd/io.containerd.runtime.v2.task/x': '', 'var/log/pods/x': '' }
  t.match(await of(t, POD, { ...running('containerd-shim'), ...there }), [{ ok: true }])
  t.match(await of(t, DOCKER, running('sh')), [{ ok: true }])
  t.same(await of(t, '1 2 0:1 / / rw - ext4 /dev/vda rw\n', running('containerd-shim')), [])
})
