/** Every runtime in every layout of cgroups, all three at once on one machine, and one probe that sees them all. */

import t, { type Test } from 'tap'
import { loadBinary } from '../harness/binary.ts'
import type { Cgroups } from '../harness/cgroup_layout.ts'
import { startDocker } from '../harness/docker.ts'
import { inNetns } from '../harness/netns.ts'
import { startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { startPodman } from '../harness/podman.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { windowNow } from '../harness/windows.ts'
import { type Line, Talk, type Talker } from './talk.ts'
import { checkTalk } from './talk_samples.ts'

const HOSTS: readonly Cgroups[] = [
  { layout: 'hybrid', driver: 'systemd' },
  { layout: 'v1', driver: 'cgroupfs' },
  { layout: 'v2', driver: 'systemd' },
]
const PORT = 80
const PUBLISHED = 8080
const LOAD = '/bin/load'

/** A host of one layout: who talks there, and where the probe finds their names. */
interface Host {
  readonly talkers: readonly Talker[]
  readonly servers: readonly (readonly [Talker, ...string[]])[]
  readonly lines: readonly Line[]
  readonly flags: readonly string[]
}

/** A process of the host that the containers run on. */
async function outsider(t: Test, netns: string, name: string): Promise<Talker> {
  const binary = await loadBinary()
  const load = (...words: string[]) => {
    const child = start(inNetns(netns, [binary, ...words]))
    t.teardown(() => child.close())
    return child
  }
  return { name, load }
}

const line = (from: Talker, to: Talker, address: string, port: number, ...numbers: number[]): Line => {
  const [older = 0, later = 0, brief = 0] = numbers
  return { from, to, address, port, older, later, brief }
}

async function pods(t: Test, cgroups: Cgroups): Promise<Host> {
  const node = await startNode(cgroups)
  t.teardown(() => node.close())
  const namespace = cgroups.layout
  const run = async <Name extends string>(name: string, names: readonly Name[], more = {}) => {
    const containers = names.map(name => ({ name, command: IDLE }))
    const pod = await node.runPod({ name, namespace, containers, ...more })
    const talker = (name: Name): Talker => {
      const container = pod.containers[name]
      const load = (...words: string[]) => node.start(container, [LOAD, ...words])
      return { name, pod: pod.name, namespace, id: container.id, load }
    }
    return talker
  }
  const shop = await run('shop-0', ['web', 'cart'])
  const [web, cart] = [shop('web'), shop('cart')]
  const front = (await run('front-0', ['main'], { hostPorts: [{ host: PUBLISHED, container: PORT }] }))(
    'main',
  )
  const agent = (await run('agent-0', ['main'], { hostNetwork: true }))('main')
  const host = await outsider(t, node.containerd.netns, cgroups.layout)
  const gateway = '10.88.0.1'
  return {
    talkers: [web, cart, front, agent],
    servers: [
      [cart, '127.0.0.1', '8000'],
      [front, '0.0.0.0', `${PORT}`],
      [agent, '0.0.0.0', '9100'],
    ],
    lines: [
      line(web, cart, '127.0.0.1', 8000, 3, 4, 7),
      line(cart, front, gateway, PUBLISHED, 2, 5, 6),
      line(agent, front, '127.0.0.1', PUBLISHED, 1, 2, 3),
      line(web, agent, gateway, 9100, 2, 1, 4),
      line(host, agent, '127.0.0.1', 9100, 5, 3, 2),
      line(host, front, gateway, PUBLISHED, 1, 1, 5),
    ],
    flags: ['--containerd-state', node.containerd.stateDir],
  }
}

async function docker(t: Test, cgroups: Cgroups): Promise<Host> {
  const docker = await startDocker(cgroups)
  t.teardown(() => docker.close())
  const run = async (name: string, options: string[] = []) => {
    const container = await docker.runContainer({ name: `${name}-${cgroups.layout}`, command: IDLE, options })
    const load = (...words: string[]) => docker.start(container, [LOAD, ...words])
    return { ...container, load }
  }
  const web = await run('web', [`--publish=${PUBLISHED}:${PORT}`])
  const client = await run('client')
  const host = await outsider(t, docker.netns, cgroups.layout)
  const gateway = '10.88.20.1'
  return {
    talkers: [web, client],
    servers: [[web, '0.0.0.0', `${PORT}`]],
    lines: [
      line(client, web, web.ip, PORT, 3, 4, 7),
      line(client, web, gateway, PUBLISHED, 1, 2, 3),
      line(host, web, '127.0.0.1', PUBLISHED, 2, 5, 6), // through docker-proxy
      line(host, web, gateway, PUBLISHED, 1, 3, 2), // by DNAT
    ],
    flags: ['--containerd-state', docker.stateDir, '--docker-root', docker.dataRoot],
  }
}

async function podman(t: Test, cgroups: Cgroups, rootless: boolean): Promise<Host> {
  const podman = await startPodman({ cgroups, rootless })
  t.teardown(() => podman.close())
  const rights = rootless ? 'rootless' : 'rootful'
  const run = async (name: string, options: string[] = []) => {
    const container = await podman.runContainer({
      name: `${name}-${rights}-${cgroups.layout}`,
      command: IDLE,
      options: rootless
        ? ['--network=slirp4netns:allow_host_loopback=true,port_handler=slirp4netns', ...options]
        : options,
    })
    const load = (...words: string[]) => podman.start(container, [LOAD, ...words])
    return { ...container, load }
  }
  const web = await run('web', [`--publish=${PUBLISHED}:${PORT}`])
  const client = await run('client')
  const host = await outsider(t, podman.netns, cgroups.layout)
  // slirp4netns loses a connection now and then, so that nothing exact can be said of what goes through it
  const apart = [line(client, client, '127.0.0.1', PORT, 3, 4, 7)]
  const together = [
    line(client, web, '10.88.30.1', PUBLISHED, 3, 4, 7),
    line(host, web, '127.0.0.1', PUBLISHED, 1, 2, 7),
  ]
  return {
    talkers: [web, client],
    servers: [
      [web, '0.0.0.0', `${PORT}`],
      ...(rootless ? [[client, '127.0.0.1', `${PORT}`] as [Talker, ...string[]]] : []),
    ],
    lines: [line(web, web, '127.0.0.1', PORT, 2, 1, 5), ...(rootless ? apart : together)],
    flags: ['--oci-state', podman.runtimeRoot],
  }
}

/** All hosts start at once, and their containers talk at the same time. */
async function check(t: Test, starting: readonly Promise<Host>[]): Promise<void> {
  await Promise.allSettled(starting) // so that what has started is torn down when another has failed
  const hosts = await Promise.all(starting)
  const site = await openSite()
  t.teardown(() => site.close())
  const listening = new Map(
    hosts.flatMap(({ servers }) => servers.map(([names, ...where]) => [names, where])),
  )
  const talk = await Talk.start(
    hosts.flatMap(({ lines }) => lines),
    listening,
  )
  await site.collector()
  await site.probe(hosts.flatMap(({ flags }) => flags))
  const first = windowNow() + 1
  const last = await talk.goOn()
  const talkers = hosts.flatMap(({ talkers }) => talkers)
  await checkTalk(t, site, talk, talkers, first, last)
  t.same(await site.losses(), {}, 'nothing was lost')
}

const machine = ['root', 'bpf', 'netns', 'gcc', 'hybrid'] as const

t.test(
  'pods of containerd: containers side by side, on the network of the host, behind a port of the host',
  {
    skip: needs(...machine, 'containerd'),
  },
  t =>
    check(
      t,
      HOSTS.map(cgroups => pods(t, cgroups)),
    ),
)

t.test(
  'containers of Docker, one of them behind a published port',
  {
    skip: needs(...machine, 'docker'),
  },
  t =>
    check(
      t,
      HOSTS.map(cgroups => docker(t, cgroups)),
    ),
)

t.test(
  'containers of podman',
  {
    skip: needs(...machine, 'podman'),
  },
  t =>
    check(
      t,
      HOSTS.map(cgroups => podman(t, cgroups, false)),
    ),
)

t.test(
  'rootless containers of podman, with a cgroup of their own and without',
  {
    skip: needs(...machine, 'podman', 'rootless', 'tun'),
  },
  t =>
    check(
      t,
      HOSTS.map(cgroups => podman(t, cgroups, true)),
    ),
)
