/** crun, CRI-O and states that are not to be trusted; runc and podman are tested for real in runtimes.test.ts. */

import { execFileSync } from 'node:child_process'
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { OciStates } from '../../../../probe/identify/disk/oci_state.ts'
import { startOf } from '../../../../probe/identify/process.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { scratch } from '../../../harness/scratch.ts'

const ID = '5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c'

async function files(t: Test, contents: (root: string) => Record<string, unknown>): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const root = await scratch(cleanup, 'oci')
  for (const [path, content] of Object.entries(contents(root))) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), JSON.stringify(content))
  }
  return root
}

// libcrun/status.c writes these; CRI-O's annotations are those of its pkg/annotations
const crun = (pid: number) => (root: string) => ({
  [`run/user/1000/crun/${ID}/status`]: { pid, bundle: `${root}/store/overlay-containers/${ID}/userdata` },
  [`store/overlay-containers/${ID}/userdata/config.json`]: {
    annotations: {
      'io.container.manager': 'cri-o',
      'io.kubernetes.container.name': 'main',
      'io.kubernetes.cri-o.ImageName': 'registry/web:1',
      'io.kubernetes.pod.name': 'web-0',
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.pod.uid': 'u-1',
    },
    mounts: [{ source: `${root}/run/store/overlay-containers/${ID}/userdata/hosts` }],
  },
})

t.test('CRI-O with crun: names from annotations, running while its process is', async t => {
  const root = await files(t, crun(process.pid))
  const states = new OciStates([join(root, 'run/user/*/crun'), join(root, 'run/*/none')])
  const described = {
    runtime: 'cri-o',
    name: 'main',
    image: 'registry/web:1',
    pod: { uid: 'u-1', name: 'web-0', namespace: 'shop' },
  }
  t.same(states.find(ID), described)
  t.match(states.running(), [{ id: ID, pid: process.pid }])
  await rm(join(root, 'run/user/1000/crun', ID), { recursive: true })
  t.same(states.running(), [])
  t.same(states.find(ID), described, 'it has ended, and is not removed')
  await rm(join(root, 'store/overlay-containers', ID), { recursive: true })
  t.equal(states.find(ID), undefined)
})

t.test('a store that does not outlive a restart has names too, and its changes are seen', async t => {
  const listed = (name: string) => [{ id: ID, names: [name], metadata: '{"image-name":"i:1"}' }]
  const root = await files(t, root => ({
    ...crun(process.pid)(root),
    [`store/overlay-containers/${ID}/userdata/config.json`]: {
      mounts: [{ source: `${root}/run/store/overlay-containers/${ID}/userdata/hosts` }],
    },
    'run/store/overlay-containers/volatile-containers.json': listed('job'),
  }))
  const states = new OciStates([join(root, 'run/user/*/crun')])
  t.same(states.find(ID), { name: 'job', image: 'i:1' })
  const store = join(root, 'run/store/overlay-containers/volatile-containers.json')
  await writeFile(store, JSON.stringify(listed('other')))
  const later = new Date(Date.now() - 5000)
  await utimes(store, later, later)
  t.equal(states.find(ID)?.name, 'other')
})

t.test('a process id that was given to another is not the container', async t => {
  const start = startOf('/proc', process.pid)!
  const state = (init_process_start: number) => () => ({
    [`runc/${ID}/state.json`]: { init_process_pid: process.pid, init_process_start },
  })
  const same = await files(t, state(start))
  t.equal(new OciStates([join(same, 'runc')]).running().length, 1)
  const other = await files(t, state(start - 1))
  t.same(new OciStates([join(other, 'runc')]).running(), [])
})

t.test('what is no state is passed over, and a pipe in its place makes nobody wait', async t => {
  const root = await files(t, () => ({
    'runc/a/state.json': ['no', 'state'],
    'runc/b/state.json': { init_process_pid: 'x' },
    'runc/c/state.json': { init_process_pid: 1, config: { labels: [1, 'bundle=/nonexistent'] } },
    'runc/e/other': {},
  }))
  await mkdir(join(root, 'runc/d'))
  execFileSync('mkfifo', [join(root, 'runc/d/state.json')])
  const states = new OciStates([join(root, 'runc')])
  t.same(
    states.running().map(({ id }) => id),
    ['c'],
  )
  t.same(states.find('c'), {})
  for (const id of ['a', 'b', 'd', 'e', 'f', '../c', 'x/y']) t.equal(states.find(id), undefined, id)
})
