/** Names and running lists with the real runtimes of this machine. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Asked } from '../../../probe/identify/api/asked.ts'
import { docker as dockerApi, podman as podmanApi } from '../../../probe/identify/api/container_api.ts'
import { cri } from '../../../probe/identify/api/cri.ts'
import { Identifier } from '../../../probe/identify/identify.ts'
import { type Places, sourcesIn } from '../../../probe/identify/places.ts'
import { netnsOf } from '../../../probe/identify/process.ts'
import { cgroupRoots, removeCgroup } from '../../harness/cgroup.ts'
import { type Docker, startDocker } from '../../harness/docker.ts'
import { startNode } from '../../harness/node.ts'
import { IDLE } from '../../harness/pod.ts'
import { startPodman } from '../../harness/podman.ts'
import { run } from '../../harness/process.ts'
import { needs } from '../../harness/skip.ts'
import { until } from '../../harness/until.ts'
import { cgroupPath, flow, pathIn, pathRecord, processLayout, tcpFlow } from './records.ts'

const NOWHERE: Places = {
  containerdState: [],
  ociState: [],
  dockerRoot: [],
  kubeletLogs: [],
  criSocket: [],
  dockerSocket: [],
  podmanSocket: [],
  label: [],
}

const IMAGE = 'localhost/sockflux/load:test'

/** What the probe would see of a flow of this process. */
function seen(pid: number, cgroup: number): { path: Buffer; row: Buffer } {
  const path = pathIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
  return { path: pathRecord(cgroup, path), row: flow(cgroup, netnsOf('/proc', pid)) }
}

function start(places: Partial<Places>): { identifier: Identifier; close: () => void } {
  const sources = sourcesIn({ ...NOWHERE, ...places })
  const options = { labels: places.label ?? [] }
  return {
    identifier: new Identifier(cgroupPath, processLayout, sources, options),
    close: () => sources.close(),
  }
}

t.test('pods of containerd', { skip: needs('root', 'netns', 'containerd') }, async t => {
  const node = await startNode()
  t.teardown(() => node.close())
  const containers = [
    { name: 'main', command: IDLE },
    { name: 'side', command: IDLE },
  ] as const
  const web = await node.runPod({ name: 'web-0', namespace: 'shop', labels: { app: 'web' }, containers })
  const twin = await node.runPod({ name: 'web-0', namespace: 'test', hostNetwork: true, containers })
  const places = { containerdState: [node.containerd.stateDir] }
  const { identifier, close } = start(places)
  t.teardown(close)

  const { main, side } = web.containers
  const flows = [main, side, twin.containers.main].map(({ pid }, index) => seen(pid, index + 1))
  identifier.learn(Buffer.concat(flows.map(({ path }) => path)))
  const names = identifier.namesOf(tcpFlow, Buffer.concat(flows.map(({ row }) => row)))
  t.same(names.cgroups, { '1:1': main.id, '1:2': side.id, '1:3': twin.containers.main.id })
  t.same(names.containers[main.id], { runtime: 'containerd', name: 'main', image: IMAGE, pod: web.uid })
  t.same(names.containers[twin.containers.main.id]?.pod, twin.uid)
  t.same(names.pods, {
    [web.uid]: { name: 'web-0', namespace: 'shop' },
    [twin.uid]: { name: 'web-0', namespace: 'test' },
  })

  const { running, containers: named } = identifier.running()
  t.equal(running.length, 6, 'four containers and two sandboxes')
  const inPod = running.filter(id => named[id]?.pod === web.uid && !named[id]?.sandbox)
  t.same(inPod.toSorted(), [main.id, side.id].toSorted())
  t.ok(named[web.sandboxId]?.sandbox)

  await node.stopContainer(side)
  t.notOk(identifier.running().running.includes(side.id))
  t.equal(
    identifier.namesOf(tcpFlow, flows[1]!.row).containers[side.id]?.name,
    'side',
    'names outlive their container',
  )

  const free = await node.exec(main, ['/bin/true'])
  t.equal(free.exitCode, 0)

  await t.test('over the CRI socket alone, with labels', async t => {
    const { identifier, close } = start({ criSocket: [node.containerd.socket], label: ['app'] })
    t.teardown(close)
    identifier.learn(flows[0]!.path)
    t.ok(identifier.namesOf(tcpFlow, flows[0]!.row).containers[main.id]?.pending, 'its name is on its way')
    const { containers, pods } = await until('the name', () => {
      const names = identifier.namesOf(tcpFlow, flows[0]!.row)
      return names.containers[main.id]?.name !== undefined && names
    })
    t.same(containers[main.id], { runtime: 'cri', name: 'main', image: IMAGE, pod: web.uid })
    t.same(pods[web.uid], { name: 'web-0', namespace: 'shop', labels: { app: 'web' } })
    const ids = await until('the list', () => {
      const { running } = identifier.running()
      return running.length > 0 && running
    })
    t.same(
      ids.toSorted(),
      [
        main.id,
        web.sandboxId,
        twin.sandboxId,
        ...Object.values(twin.containers).map(({ id }) => id),
      ].toSorted(),
    )
  })

  await t.test('containerd has no event stream before 1.7, and that is no failure', async t => {
    const asked = new Asked(cri(node.containerd.socket))
    t.teardown(() => asked.close())
    asked.refresh()
    await until('an answer', () => asked.running().length > 0)
    const again = performance.now()
    asked.refresh()
    await until('the next answer', () => asked.hasHeard(again))
    t.same(asked.failed, {})
  })
})

t.test('a container of ctr has a name and no id', { skip: needs('root', 'netns', 'containerd') }, async t => {
  t.teardown(() => removeCgroup('/shop')) // ctr leaves that of its namespace
  const node = await startNode()
  t.teardown(() => node.close())
  const { socket, snapshotter, stateDir, directory } = node.containerd
  const ctr = (...words: string[]) => run(['ctr', '-a', socket, '-n', 'shop', ...words])
  await ctr(
    'images',
    'import',
    '--snapshotter',
    snapshotter,
    join(import.meta.dirname, '../../../build/test/images.tar'),
  )
  await ctr(
    'run',
    '--detach',
    '--snapshotter',
    snapshotter,
    '--runc-root',
    `${directory}/ctr`,
    IMAGE,
    'web',
    ...IDLE,
  )
  t.teardown(() => ctr('tasks', 'delete', '--force', 'web'))
  const { identifier, close } = start({ containerdState: [stateDir] })
  t.teardown(close)
  const pid = Number((await ctr('tasks', 'list')).split('\n')[1]!.split(/\s+/)[1])
  const { path, row } = seen(pid, 7)
  identifier.learn(Buffer.concat([path, pathRecord(8, '/shop/other')]))
  const names = identifier.namesOf(tcpFlow, Buffer.concat([row, flow(8)]))
  t.same(names.cgroups, { '1:7': 'shop/web' }, 'only a bundle makes a directory a container')
  t.same(names.containers, { 'shop/web': { runtime: 'containerd', name: 'web' } })
  t.same(identifier.running().running, ['shop/web'])
})

async function dockerFlow(docker: Docker) {
  const options = ['--label', 'team=a', '--label', 'tier=front']
  const container = await docker.runContainer({ name: 'web', command: IDLE, options })
  return { container, ...seen(container.pid, 1) }
}

t.test('containers of Docker', { skip: needs('root', 'netns', 'docker') }, async t => {
  const docker = await startDocker()
  t.teardown(() => docker.close())
  const { container, path, row } = await dockerFlow(docker)
  const { dataRoot, stateDir, socket } = docker
  const expected = { runtime: 'docker', name: 'web', image: IMAGE, labels: { team: 'a' } }

  await t.test('from its files', async t => {
    const places = { containerdState: [stateDir], dockerRoot: [dataRoot], label: ['team', 'none'] }
    const { identifier, close } = start(places)
    t.teardown(close)
    identifier.learn(path)
    t.same(identifier.namesOf(tcpFlow, row).containers, { [container.id]: expected })
    t.same(identifier.running().running, [container.id])
  })
  await t.test('over its socket', async t => {
    const { identifier, close } = start({ dockerSocket: [socket], label: ['team'] })
    t.teardown(close)
    identifier.learn(path)
    await until('the name', () => !identifier.namesOf(tcpFlow, row).containers[container.id]?.pending)
    t.same(identifier.namesOf(tcpFlow, row).containers, { [container.id]: expected })
    t.same(identifier.running().running, [container.id])
    const another = await docker.runContainer({ name: 'other', command: IDLE })
    await until('the other one', () => identifier.running().running.includes(another.id))
    await docker.removeContainer(another)
    await until('its end', () => !identifier.running().running.includes(another.id))
  })
  await t.test('one that was started again has the same id and another process', async t => {
    const { identifier, close } = start({ containerdState: [stateDir], dockerRoot: [dataRoot] })
    t.teardown(close)
    t.same(identifier.running().running, [container.id])
    await run(docker.command('stop', '--time=0', container.id))
    t.same(identifier.running().running, [])
    await run(docker.command('start', container.id))
    t.same(identifier.running().running, [container.id])
  })
  await t.test('docker rename, and again with a restart', async t => {
    const places = [{ containerdState: [stateDir], dockerRoot: [dataRoot] }, { dockerSocket: [socket] }]
    const probes = places.map(start)
    for (const { close } of probes) t.teardown(close)
    const nameIn = ({ identifier }: (typeof probes)[number]) => {
      const name = identifier.namesOf(tcpFlow, row).containers[container.id]?.name
      identifier.running()
      return name
    }
    for (const { identifier } of probes) identifier.learn(path)
    for (const probe of probes) await until('its first name', () => nameIn(probe) === 'web')
    for (const name of ['shop', 'web-z', 'web']) {
      await run(docker.command('rename', container.id, name))
      if (name === 'web-z') await run(docker.command('restart', '--time=0', container.id))
      for (const probe of probes) await until(name, () => nameIn(probe) === name)
    }
  })
  await t.test('one in no cgroup of its own, as with the cgroup driver none of rootless Docker', async t => {
    const { id, pid } = await docker.runContainer({ name: 'rootless', command: IDLE })
    for (const root of cgroupRoots()) writeFileSync(join(root, 'cgroup.procs'), String(pid))
    // without the data root: a bundle says where its Docker keeps its state
    const { identifier, close } = start({ containerdState: [stateDir.replace('/containerd/', '/*/')] })
    t.teardown(close)
    t.ok(identifier.running().running.includes(id), 'idle')
    t.equal(identifier.running().containers[id]?.name, 'rootless')
    const netns = netnsOf('/proc', pid)!
    identifier.learn(pathRecord(3, '/user.slice/user-1000.slice/user@1000.service/docker.service'))
    const names = identifier.namesOf(tcpFlow, flow(3, netns))
    t.same(names.netns, { [netns]: id }, 'talking')
    t.equal(names.containers[id]?.name, 'rootless')
    await run(docker.command('stop', '--time=0', id))
    t.notOk(identifier.running().running.includes(id))
    await docker.removeContainer({ id })
  })
  await t.test('the API is asked for nothing when the disk tells all', async t => {
    const asked = new Asked(dockerApi(socket))
    t.teardown(() => asked.close())
    const { identifier, close } = start({
      containerdState: [stateDir],
      dockerRoot: [dataRoot],
      dockerSocket: ['/nonexistent/docker.sock'],
    })
    t.teardown(close)
    identifier.learn(path)
    t.notOk(identifier.running().containers[container.id]?.pending)
    t.same(asked.running(), [])
  })
})

t.test('containers of podman', { skip: needs('root', 'netns', 'podman') }, async t => {
  const podman = await startPodman()
  t.teardown(() => podman.close())
  const options = ['--label', 'team=a']
  const container = await podman.runContainer({ name: 'web', command: IDLE, options })
  const removed = await podman.runContainer({ name: 'job', command: IDLE, options: ['--rm'] })
  const flows = [container, removed].map(({ pid }, index) => seen(pid, index + 1))
  const rows = Buffer.concat(flows.map(({ row }) => row))

  await t.test('from their files', async t => {
    const { identifier, close } = start({ ociState: [podman.runtimeRoot] })
    t.teardown(close)
    identifier.learn(Buffer.concat(flows.map(({ path }) => path)))
    t.same(identifier.namesOf(tcpFlow, rows).containers, {
      [container.id]: { runtime: 'podman', name: 'web', image: IMAGE },
      [removed.id]: { runtime: 'podman', name: 'job', image: IMAGE },
    })
    t.same(identifier.running().running.toSorted(), [container.id, removed.id].toSorted())
    await run(podman.command('rm', '--force', '--time=0', removed.id))
    t.same(identifier.running().running, [container.id])
    await run(podman.command('run', '--pull=never', '--name=brief', IMAGE, '/bin/true'))
    const id = (await run(podman.command('inspect', '--format', '{{.Id}}', 'brief'))).trim()
    identifier.learn(pathRecord(9, `/libpod_parent/libpod-${id}`))
    const { containers } = identifier.namesOf(tcpFlow, flow(9))
    t.same(containers[id], { runtime: 'podman', name: 'brief', image: IMAGE }, 'one that has ended')
  })
  await t.test('podman rename', async t => {
    const { identifier, close } = start({ ociState: [podman.runtimeRoot] })
    t.teardown(close)
    const { path, row } = flows[0]!
    identifier.learn(path)
    for (const name of ['shop', 'web-z', 'web']) {
      await run(podman.command('rename', container.id, name))
      await until(name, () => {
        identifier.running()
        return identifier.namesOf(tcpFlow, row).containers[container.id]?.name === name
      })
    }
  })
  await t.test('over its socket, with its pod', async t => {
    const socket = await podman.serve()
    await run(
      podman.command(
        'pod',
        'create',
        '--name=shop',
        '--infra-image',
        'localhost/sockflux/pause:test',
        '--infra-command',
        '/pause',
      ),
    )
    const member = await podman.runContainer({ name: 'side', command: IDLE, options: ['--pod=shop'] })
    const asked = new Asked(podmanApi(socket))
    t.teardown(() => asked.close())
    asked.refresh()
    const found = await until('the name', () => asked.find(member.id))
    t.match(found, { runtime: 'podman', name: 'side', image: IMAGE, pod: { name: 'shop' } })
    const sandboxes = asked.running().filter(({ id }) => asked.find(id)?.sandbox)
    t.equal(sandboxes.length, 1)
    t.equal(asked.running().find(({ id }) => id === member.id)?.pid, member.pid)
  })
})

t.test(
  'rootless containers of podman',
  { skip: needs('root', 'netns', 'podman', 'rootless', 'tun', 'hybrid') },
  async t => {
    const podman = await startPodman({ rootless: true })
    t.teardown(() => podman.close())
    const [web, other] = [
      await podman.runContainer({ name: 'web', command: IDLE }),
      await podman.runContainer({ name: 'other', command: IDLE }),
    ]
    const { identifier, close } = start({ ociState: [podman.runtimeRoot] })
    t.teardown(close)
    const flows = [web, other].map(({ pid }, index) => seen(pid, index + 1))
    const rows = Buffer.concat([
      ...flows.map(({ row }) => row),
      flow(3, 1),
      flow(3, netnsOf('/proc', 'self')),
    ])
    identifier.learn(Buffer.concat([...flows.map(({ path }) => path), pathRecord(3, '/')]))
    const names = identifier.namesOf(tcpFlow, rows)
    const inodes = [web, other].map(({ pid }) => netnsOf('/proc', pid))
    t.same(names.cgroups, {}, 'they have no cgroup of their own')
    t.same(names.netns, { [inodes[0]!]: web.id, [inodes[1]!]: other.id })
    t.match(names.containers[web.id], { runtime: 'podman', name: 'web', image: IMAGE })
    t.equal(identifier.otherNetnsRows, 1, "the flow in nobody's namespace is counted, the host's is not")
    t.same(identifier.running().running.toSorted(), [web.id, other.id].toSorted())
  },
)
