import { mkdir, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cgroups, inLayout } from './cgroup_layout.ts'
import { type Closable, closable } from './cleanup.ts'
import { type Cri, connectCri } from './cri.ts'
import { imageArchive, PAUSE_IMAGE } from './image.ts'
import { stopProcessesOf, sweep, unmountBelow } from './leftovers.ts'
import { createNetns, inNetns } from './netns.ts'
import { run, start } from './process.ts'
import { runcWrap } from './runc_wrap.ts'
import { scratch } from './scratch.ts'

export interface Containerd {
  socket: string
  /** Where its containers have their root file systems; what `ctr` imports and runs has to be told. */
  snapshotter: string
  /** The bundles are in `<stateDir>/io.containerd.runtime.v2.task/k8s.io/<id>/`. */
  stateDir: string
  /** Everything of this containerd is below, its log directory for pods too. */
  directory: string
  /** The node's network namespace: bridge and routes of the pods stay off the host. */
  netns: string
  cri: Cri
}

/** The namespace of containerd that CRI works in. */
export const CRI_NAMESPACE = 'k8s.io'

/**
 * Starts a containerd of its own with the images of the tests in it; nothing of it touches another one.
 * @param cgroups another layout than the machine's, in a mount namespace that ends with containerd
 * @param isShared mounts are passed on to containers that ask for it, as under systemd; in such a namespace, too
 */
export function startContainerd(cgroups?: Cgroups, isShared = false): Promise<Containerd & Closable> {
  return closable(async cleanup => {
    await sweep()
    const images = await imageArchive()
    const directory = await scratch(cleanup, 'containerd')
    const netns = await createNetns('node')
    cleanup.defer(() => netns.close())
    cleanup.defer(() => unmountBelow(directory))
    const socket = join(directory, 'c.sock')
    const runc = cgroups ? await runcWrap(directory, cgroups) : 'runc'
    const snapshotter = await snapshotterFor(directory)
    await configure(directory, socket, runc, snapshotter)
    cleanup.defer(() => stopProcessesOf(directory))
    const plain = ['containerd', '--config', join(directory, 'config.toml')]
    const command = isShared ? ['sh', '-c', 'mount --make-rshared / && exec "$@"', 'sh', ...plain] : plain
    const apart = isShared ? ['unshare', '--mount', '--propagation', 'private', ...command] : command
    const daemon = start(inNetns(netns.path, cgroups ? inLayout(cgroups, command) : apart))
    cleanup.defer(() => daemon.close())
    const cri = await Promise.race([connectCri(socket), failureOf(daemon)])
    cleanup.defer(() => cri.close())
    const ctr = ['ctr', '-a', socket, '-n', CRI_NAMESPACE]
    await run([...ctr, 'images', 'import', '--snapshotter', snapshotter, images])
    return { socket, snapshotter, stateDir: join(directory, 'state'), directory, netns: netns.path, cri }
  })
}

async function failureOf(daemon: ReturnType<typeof start>): Promise<never> {
  await daemon.exited
  throw new Error(`containerd ended: ${daemon.stderr.slice(-2000)}`)
}

// The kernel stacks no overlay on an overlay, as the root of a container is; `native` copies, and is slower.
async function snapshotterFor(directory: string): Promise<string> {
  const OVERLAYFS_SUPER_MAGIC = 0x794c7630 // linux/magic.h
  return (await statfs(directory)).type === OVERLAYFS_SUPER_MAGIC ? 'native' : 'overlayfs'
}

async function configure(
  directory: string,
  socket: string,
  runc: string,
  snapshotter: string,
): Promise<void> {
  await mkdir(join(directory, 'cni'))
  await writeFile(join(directory, 'cni/10-pods.conflist'), JSON.stringify(network(directory)))
  await writeFile(join(directory, 'config.toml'), configuration(directory, socket, runc, snapshotter))
}

function network(directory: string) {
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'ipam'),
    ranges: [[{ subnet: '10.88.0.0/16' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam }
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true }
  return { cniVersion: '1.0.0', name: 'pods', plugins: [bridge, portmap] }
}

// disabled_plugins: `opt` makes /opt/containerd.
// restrict_oom_score_adj: without CAP_SYS_RESOURCE runc fails with "can't get final child's PID from pipe".
// bin_dir: where Debian's containernetworking-plugins are.
function configuration(directory: string, socket: string, runc: string, snapshotter: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${runc}"
        Root = "${directory}/runc"
        SystemdCgroup = false
`
}
