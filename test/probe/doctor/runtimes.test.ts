import { once } from 'node:events'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { runtimes } from '../../../probe/doctor/runtimes.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { run } from '../../harness/process.ts'
import { showRepository } from '../../harness/repository.ts'
import { needs } from '../../harness/skip.ts'
import { world } from './world.ts'

async function listening(t: Test, path: string) {
  await mkdir(dirname(path), { recursive: true })
  const server = createServer().listen(path)
  t.teardown(() => server.close())
  await once(server, 'listening')
}

t.test('directories and sockets of runtimes that are there', async t => {
  t.match(await runtimes(await world(t)), [{ name: 'runtimes', ok: true, found: /^none/ }])
  const env = await world(t, {
    'run/containerd/x': '',
    'run/user/1000/crun/x': '',
    'var/log/pods/x': '',
    'run/docker.sock': 'no socket',
  })
  await listening(t, join(env.root, 'run/containerd/containerd.sock'))
  t.same(await runtimes(env), [
    { name: 'containerd', ok: true, found: '/run/containerd' },
    { name: 'runc, crun', ok: true, found: '/run/user/1000/crun' },
    { name: 'cri', ok: true, found: '/run/containerd/containerd.sock' },
    { name: 'kubelet', ok: true, found: '/var/log/pods' },
  ])
})

t.test('what a user may not open is named', { skip: needs('root', 'nobody') }, async t => {
  const env = await world(t, { 'run/containerd/x': '' })
  const socket = join(env.root, 'run/docker.sock')
  await listening(t, socket)
  await chmod(socket, 0o600)
  await chmod(env.root, 0o755)
  await chmod(join(env.root, 'run/containerd'), 0o700)
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const { behind, at } = await showRepository(cleanup)
  const source = at(join(import.meta.dirname, '../../../probe/doctor/runtimes.ts'))
  const program = `
    import { runtimes } from ${JSON.stringify(pathToFileURL(source).href)}
    console.log(JSON.stringify(await runtimes(${JSON.stringify(env)})))`
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']
  const node = [
    'env',
    'NODE_OPTIONS=',
    at(process.execPath),
    '--input-type=module-typescript',
    '--eval',
    program,
  ]
  t.match(JSON.parse(await run([...behind, ...nobody, ...node])), [
    { name: 'containerd', ok: 'warn', found: '/run/containerd (EACCES)' },
    {
      name: 'docker',
      ok: 'warn',
      found: '/run/docker.sock (EACCES)',
      remedy: /access to \/run\/docker\.sock, /,
    },
  ])
})

t.test('without a runtime nothing untrue is said, least of all in a container', async t => {
  const told = async (files: Readonly<Record<string, string>>) => (await runtimes(await world(t, files)))[0]
  t.match(await told({}), {
    ok: true,
    found: 'none: containers would be counted by the ids in their cgroups',
  })
  const inside = {
    ok: 'warn',
    found: 'none in this container: other containers are counted by their ids, without names',
    remedy: /mount the directories and sockets of the host into it/,
  } as const
  t.match(await told({ '.dockerenv': '' }), inside)
  t.match(await told({ 'run/.containerenv': '' }), inside)
  const hosts = (path: string) => `5 4 8:1 ${path} /etc/hosts rw - ext4 /dev/sda1 rw\n`
  t.match(await told({ 'proc/self/mountinfo': hosts('/var/lib/kubelet/pods/1/etc-hosts') }), inside)
  t.match(await told({ 'proc/self/mountinfo': hosts('/var/lib/docker/containers/1/hosts') }), inside)
  t.match(await told({ 'proc/self/mountinfo': hosts('/') }), { ok: true })
})

t.test(
  'a user with CAP_DAC_READ_SEARCH may open what access(2) denies',
  { skip: needs('root', 'nobody') },
  async t => {
    const env = await world(t, { 'run/containerd/x': '', 'var/log/pods/x': '' })
    await chmod(env.root, 0o755)
    for (const path of ['run/containerd', 'var/log/pods']) await chmod(join(env.root, path), 0o700)
    const source = join(import.meta.dirname, '../../../probe/doctor/runtimes.ts')
    const program = `
    import { runtimes } from '${source}'
    console.log(JSON.stringify(await runtimes(${JSON.stringify(env)})))`
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const may = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=+dac_read_search']
    const node = [
      'env',
      'NODE_OPTIONS=',
      process.execPath,
      '--input-type=module-typescript',
      '--eval',
      program,
    ]
    t.same(JSON.parse(await run([...user, ...may, ...node])), [
      { name: 'containerd', ok: true, found: '/run/containerd' },
      { name: 'kubelet', ok: true, found: '/var/log/pods' },
    ])
  },
)
