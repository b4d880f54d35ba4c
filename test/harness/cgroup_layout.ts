/** How a host lays out its cgroups, shown to a runtime by a mount namespace of its own; the host's mounts stay as they are. */

import { type CgroupMount, cgroupMounts } from './cgroup.ts'

/**
 * v1: controllers only, so that containers stay where they were started in the hierarchy of v2. v2: one hierarchy at
 * /sys/fs/cgroup. hybrid: the controllers of v1 beside the hierarchy of v2, and containers are in both.
 */
export const LAYOUTS = ['hybrid', 'v1', 'v2'] as const
/** Who names the cgroups: the runtime itself, or systemd for it. */
export const DRIVERS = ['cgroupfs', 'systemd'] as const

export interface Cgroups {
  layout: (typeof LAYOUTS)[number]
  driver: (typeof DRIVERS)[number]
}

/** The hierarchies in which a runtime makes cgroups. */
export function hierarchiesOf({ layout }: Cgroups): CgroupMount[] {
  return cgroupMounts().filter(
    ({ type }) => layout === 'hybrid' || (type === 'cgroup2') === (layout === 'v2'),
  )
}

/** The command line that runs `command` with /sys/fs/cgroup as the layout has it, with the pid that spawn() tells. */
export function inLayout({ layout }: Cgroups, command: readonly string[]): readonly string[] {
  const unified = cgroupMounts().filter(({ type }) => type === 'cgroup2')
  const mounts = {
    hybrid: [],
    v1: unified.map(({ path }) => `umount -l ${path}`),
    v2: ['umount -R -l /sys/fs/cgroup', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup'],
  }[layout]
  if (mounts.length === 0) return command
  const shell = [...mounts, 'exec "$@"'].join(' && ')
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', shell, 'sh', ...command]
}

/** A runtime's path of a pod or container, as the driver names it. */
export function cgroupPath({ driver }: Cgroups, path: string): string {
  if (driver === 'cgroupfs') return path
  const [top, ...rest] = path.split('/').slice(1)
  const id = rest.at(-1) ?? ''
  if (top === 'docker') return `/system.slice/docker-${id}.scope`
  if (top === 'libpod_parent') return `/machine.slice/${id}.scope`
  if (top !== 'kubepods') return path
  // /kubepods/burstable/pod<uid>/<id>; the QoS class guaranteed has no directory of its own
  const pod = rest.findIndex(name => name.startsWith('pod'))
  const slices = ['kubepods']
  for (const name of rest.slice(0, pod + 1)) slices.push(`${slices.at(-1)}-${name.replaceAll('-', '_')}`)
  const scopes = rest.slice(pod + 1).map(name => `cri-containerd-${name}.scope`)
  return `/${[...slices.map(name => `${name}.slice`), ...scopes].join('/')}`
}
