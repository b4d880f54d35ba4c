import { chmod, chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCgroup } from './cgroup.ts'
import { type Cgroups, cgroupPath, inLayout } from './cgroup_layout.ts'
import { type Cleanup, type Closable, closable } from './cleanup.ts'
import { imageArchive, LOAD_IMAGE } from './image.ts'
import { stopProcessesOf, sweep, unmountBelow } from './leftovers.ts'
import { createNetns, inNetns } from './netns.ts'
import type { Container } from './pod.ts'
import { type Child, run, start } from './process.ts'
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
  /** As a user without rights: a container has a user namespace, and no cgroup of its own in hybrid layouts. */
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
  runContainer(spec: PodmanContainerSpec): Promise<Container>
  /** Starts the API and returns its socket. */
  serve(): Promise<string>
}

/** A user without rights, who is nobody on the host: known in one mount namespace only. */
const USER = { name: 'sockflux', id: 61_234, firstSubordinate: 6_000_000 }

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
    await configure(directory, cgroups)
    const host = await holdMounts(cleanup, directory, rootless, cgroups)
    const enter = inNetns(netns.path, ['nsenter', `--mount=/proc/${host.pid}/ns/mnt`, `--wd=${directory}`])
    const become = ['setpriv', `--reuid=${USER.id}`, `--regid=${USER.id}`, '--clear-groups']
    const settings = [
      'env',
      `HOME=${directory}`,
      `XDG_RUNTIME_DIR=${directory}/xdg`,
      `TMPDIR=${directory}/tmp`,
      `CONTAINERS_CONF=${directory}/containers.conf`,
    ]
    const places = [
      `--root=${directory}/root`,
      `--runroot=${directory}/run`,
      `--tmpdir=${directory}/state`,
      `--network-config-dir=${directory}/cni`,
      '--storage-driver=overlay',
      `--runtime-flag=root=${runtimeRoot}`,
    ]
    const command = (...words: string[]) => [
      ...enter,
      ...(rootless ? become : []),
      ...settings,
      'podman',
      ...places,
      ...words,
    ]
    cleanup.defer(() => stopProcessesOf(directory))
    await copyFile(images, join(directory, 'images.tar'))
    await run(command('load', '--quiet', '--input', join(directory, 'images.tar')))
    if (!rootless) cleanup.defer(() => removeCgroup('/libpod_parent'))
    cleanup.defer(() => run(command('rm', '--all', '--force', '--time=0')))
    const runContainer = async ({ name, command: words, options = [] }: PodmanContainerSpec) => {
      const detached = ['run', '--detach', '--pull=never', '--name', name, ...options, LOAD_IMAGE, ...words]
      const id = (await run(command(...detached))).trim()
      const pid = Number(await run(command('inspect', '--format', '{{.State.Pid}}', id)))
      const path = `/libpod_parent/libpod-${id}`
      return { name, id, pid, cgroup: cgroups ? cgroupPath(cgroups, path) : path }
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
    return { runtimeRoot, directory, netns: netns.path, command, runContainer, serve }
  })
}

// runc, because crun 1.8 refuses hybrid layouts. default_ulimits: without CAP_SYS_RESOURCE podman fails with "error
// setting rlimit type 7". CNI, because Debian's podman has it.
async function configure(directory: string, cgroups?: Cgroups): Promise<void> {
  for (const name of ['root', 'run', 'state', 'tmp', 'cni', 'xdg', 'runc']) await mkdir(join(directory, name))
  const runtime = cgroups ? await runcWrap(directory, cgroups) : '/usr/sbin/runc'
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
 * For the user without rights it has the files that say who he is, and devices that he may open.
 */
async function holdMounts(
  cleanup: Cleanup,
  directory: string,
  rootless: boolean,
  cgroups?: Cgroups,
): Promise<Child> {
  const mounts = rootless ? await userMounts(directory) : []
  const shell = [...mounts, 'mount --make-rshared /', 'echo ready', 'exec cat'].join(' && ')
  const view = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', shell]
  const host = start(cgroups ? inLayout(cgroups, view) : view)
  cleanup.defer(() => host.close())
  await host.line(/^ready/)
  return host
}

async function userMounts(directory: string): Promise<string[]> {
  const { name, id, firstSubordinate } = USER
  await chmod(directory, 0o755)
  for (const path of ['', 'root', 'run', 'state', 'tmp', 'cni', 'xdg', 'runc'])
    await chown(join(directory, path), id, id)
  await chmod(join(directory, 'xdg'), 0o700)
  const files = {
    passwd: `${name}:x:${id}:${id}::${directory}:/bin/sh\n`,
    group: `${name}:x:${id}:\n`,
    subuid: `${name}:${firstSubordinate}:65536\n`,
    subgid: `${name}:${firstSubordinate}:65536\n`,
  }
  const commands: string[] = []
  for (const [file, line] of Object.entries(files)) {
    const path = join(directory, file)
    await writeFile(path, `${await readFile(`/etc/${file}`, 'utf8').catch(() => '')}${line}`)
    commands.push(`mount --bind ${path} /etc/${file}`)
  }
  for (const [device, numbers] of Object.entries({ 'net/tun': '10 200', fuse: '10 229' })) {
    const path = join(directory, device.replace('/', '_'))
    commands.push(`mknod -m 666 ${path} c ${numbers}`, `mount --bind ${path} /dev/${device}`)
  }
  return commands
}
