import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCgroup, removeUnused } from './cgroup.ts'
import { type Cgroups, cgroupPath, inLayout } from './cgroup_layout.ts'
import { type Cleanup, type Closable, closable } from './cleanup.ts'
import { imageArchive, LOAD_IMAGE } from './image.ts'
import { stopProcessesOf, sweep, unmountBelow } from './leftovers.ts'
import { createNetns, inNetns } from './netns.ts'
import type { Container } from './pod.ts'
import { asUser, delegate, userMounts } from './podman_user.ts'
import { type Child, run, start } from './process.ts'
import { quoted, REPOSITORY } from './repository.ts'
import { runcWrap } from './runc_wrap.ts'
import { scratch } from './scratch.ts'
import { until } from './until.ts'

export interface PodmanContainerSpec {
  name: string
  command: readonly string[]
  /** More words of `podman run`, such as `--publish=8000:80`. */
  options?: readonly string[]
}

export interface PodmanOptions {
  /** As a user without rights: a container has a user namespace, and a cgroup of its own in the layout v2 only. */
  rootless?: boolean
  cgroups?: Cgroups
}

export interface Podman {
  /** Where runc keeps the state of the containers: `<runtimeRoot>/<id>/state.json`. */
  runtimeRoot: string
  directory: string
  /** The host of these containers: bridge, rules and port forwarders are here. */
  netns: string
  /** The command line of podman. */
  command(...words: string[]): string[]
  runContainer(spec: PodmanContainerSpec): Promise<Container & { ip: string }>
  /** Starts a command in a container and speaks to it line by line; it ends with its stdin. */
  start(container: Pick<Container, 'id'>, words: readonly string[]): Child
  /** Starts the API and returns its socket. */
  serve(): Promise<string>
}

const FOLDERS = ['root', 'run', 't', 'tmp', 'cni', 'xdg', 'runc']

/** Prepares a podman of its own with the images of the tests in it; nothing of it touches another one. */
export function startPodman({ rootless = false, cgroups }: PodmanOptions = {}): Promise<Podman & Closable> {
  return closable(async cleanup => {
    await sweep()
    const images = await imageArchive()
    const directory = await scratch(cleanup, 'podman')
    const netns = await createNetns('node')
    cleanup.defer(() => netns.close())
    cleanup.defer(() => unmountBelow(directory))
    const runtimeRoot = join(directory, 'runc')
    const repository = rootless ? join(directory, 'repository') : REPOSITORY
    await configure(directory, repository, cgroups)
    const host = await holdMounts(cleanup, directory, rootless, cgroups)
    const enter = inNetns(netns.path, ['nsenter', `--mount=/proc/${host.pid}/ns/mnt`, `--wd=${directory}`])
    const delegated = rootless && cgroups?.layout === 'v2' ? await delegate(cleanup) : []
    const become = rootless ? [...delegated, ...asUser] : []
    const settings = [
      'env',
      `HOME=${directory}`,
      `XDG_RUNTIME_DIR=${directory}/xdg`,
      `TMPDIR=${directory}/tmp`,
      `CONTAINERS_CONF=${directory}/containers.conf`,
    ]
    // --tmpdir is short: below it slirp4netns has a socket named by 64 digits, and unix(7) allows 107 bytes in all
    const places = [
      `--root=${directory}/root`,
      `--runroot=${directory}/run`,
      `--tmpdir=${directory}/t`,
      `--network-config-dir=${directory}/cni`,
      '--storage-driver=overlay',
      `--runtime-flag=root=${runtimeRoot}`,
    ]
    const command = (...words: string[]) => [...enter, ...become, ...settings, 'podman', ...places, ...words]
    if (!rootless) cleanup.defer(() => removeUnused('/libpod_parent/conmon'))
    cleanup.defer(() => stopProcessesOf(directory))
    await copyFile(images, join(directory, 'images.tar'))
    await run(command('load', '--quiet', '--input', join(directory, 'images.tar')))
    const cgroupOf = (id: string) => {
      const path = `/libpod_parent/libpod-${id}`
      return cgroups ? cgroupPath(cgroups, path) : path
    }
    const idsOf = async (...words: string[]) =>
      (await run(command(...words, '--quiet', '--no-trunc'))).split('\n').filter(Boolean)
    const used = new Set<string>()
    cleanup.defer(() => Promise.all([...used].map(cgroup => removeCgroup(cgroup))))
    cleanup.defer(async () => {
      for (const id of await idsOf('pod', 'ps')) used.add(`/libpod_parent/${id}`)
      for (const id of await idsOf('ps', '--all')) used.add(cgroupOf(id))
      await run(command('pod', 'rm', '--all', '--force'))
      await run(command('rm', '--all', '--force', '--time=0'))
    })
    const runContainer = async ({ name, command: words, options = [] }: PodmanContainerSpec) => {
      const detached = ['run', '--detach', '--pull=never', '--name', name, ...options, LOAD_IMAGE, ...words]
      const id = (await run(command(...detached))).trim()
      const format = '{{.State.Pid}} {{.NetworkSettings.IPAddress}}'
      const [pid, ip = ''] = (await run(command('inspect', '--format', format, id))).trim().split(' ')
      const cgroup = cgroupOf(id)
      used.add(cgroup)
      return { name, id, pid: Number(pid), cgroup, ip }
    }
    const startIn = ({ id }: Pick<Container, 'id'>, words: readonly string[]) => {
      const child = start(command('exec', '--interactive', id, ...words))
      cleanup.defer(() => child.close())
      return child
    }
    const serve = async () => {
      const socket = join(directory, 'p.sock')
      const service = start(command('system', 'service', '--time=0', `unix://${socket}`))
      cleanup.defer(() => service.close())
      await until('the API of podman', () =>
        run(['curl', '-sf', '--unix-socket', socket, 'http://podman/_ping']).catch(() => undefined),
      )
      return socket
    }
    return { runtimeRoot, directory, netns: netns.path, command, runContainer, start: startIn, serve }
  })
}

// runc, because crun 1.8 refuses hybrid layouts. default_ulimits: without CAP_SYS_RESOURCE podman fails with "error
// setting rlimit type 7". CNI, because Debian's podman has it.
async function configure(directory: string, repository: string, cgroups?: Cgroups): Promise<void> {
  for (const name of FOLDERS) await mkdir(join(directory, name))
  const runtime = cgroups ? await runcWrap(directory, cgroups, repository) : '/usr/sbin/runc'
  await writeFile(
    join(directory, 'containers.conf'),
    `[containers]
default_sysctls = []
log_driver = "k8s-file"
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "tests"
stop_timeout = 1
[engine.runtimes]
tests = ["${runtime}"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["/usr/lib/cni"]
default_subnet = "10.88.30.0/24"
`,
  )
}

/**
 * A process that keeps a mount namespace: podman has no daemon, and each call must see the mounts of the one before.
 * For the user without rights it has the files that say who he is, devices that he may open, and the repository, which
 * may lie where he cannot enter.
 */
async function holdMounts(
  cleanup: Cleanup,
  directory: string,
  rootless: boolean,
  cgroups?: Cgroups,
): Promise<Child> {
  const mounts = rootless ? await userMounts(directory, FOLDERS) : []
  if (rootless) {
    const repository = join(directory, 'repository')
    await mkdir(repository)
    mounts.push(`mount --bind ${quoted(REPOSITORY)} ${quoted(repository)}`)
  }
  const shell = [...mounts, 'mount --make-rshared /', 'echo ready', 'exec cat'].join(' && ')
  const view = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', shell]
  const host = start(cgroups ? inLayout(cgroups, view) : view)
  cleanup.defer(() => host.close())
  await host.line(/^ready/)
  return host
}
