/** Where this process runs, and the line that gives it there what it lacks. */

import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Host, textIn } from './finding.ts'

export type Surroundings = 'kubernetes' | 'container' | 'host'

/** Where kubelet, and Docker and podman, keep what they mount into a container; it may be a file system of its own. */
const OF_POD = /\/kubelet\/pods\/|^\/pods\/[0-9a-f-]{36}\//
const OF_CONTAINER = /\/docker\/containers\/|\/containers\/storage\/|\/containers\/[0-9a-f]{64}\//

/** Whether such a directory is mounted elsewhere; the host has mounts below it. proc_pid_mountinfo(5): root, mount point. */
const isMounted = (mounts: readonly string[][], from: RegExp): boolean =>
  mounts.some(([, , , root = '', point = '']) => from.test(root) && !from.test(point))

/** By the files and mounts that kubelet, Docker and podman make in a container. */
export function surroundingsOf(host: Pick<Host, 'root'>): Surroundings {
  const text = textIn(host, '/proc/self/mountinfo') ?? ''
  const mounts = text.split('\n').map(line => line.split(' '))
  if (isMounted(mounts, OF_POD)) return 'kubernetes'
  const isContainer =
    existsSync(join(host.root, '.dockerenv')) ||
    existsSync(join(host.root, 'run/.containerenv')) ||
    isMounted(mounts, OF_CONTAINER)
  return isContainer ? 'container' : 'host'
}

type Line<T> = Readonly<Record<Surroundings, (what: T) => string>>

const bare = (capability: string): string => capability.replace(/^CAP_/, '')

/** For capabilities by their names in capabilities(7). */
export const capabilityLine: Line<readonly string[]> = {
  kubernetes: names =>
    `add to the container's securityContext \`capabilities: {add: [${names.map(bare).join(', ')}]}\``,
  container: names => `start it with \`${names.map(name => `--cap-add ${bare(name)}`).join(' ')}\``,
  host: names => `run it as root, or add to its systemd unit \`AmbientCapabilities=${names.join(' ')}\``,
}

const volume = (path: string): string => basename(path).replaceAll(/[^a-z0-9]+/g, '-')

/** For a directory of the host. */
export const mountLine: Line<string> = {
  kubernetes: path =>
    `add to the container's volumeMounts \`- {name: ${volume(path)}, mountPath: ${path}, readOnly: true, mountPropagation: HostToContainer}\`, and to the pod's volumes \`- {name: ${volume(path)}, hostPath: {path: ${path}}}\``,
  container: path => `start it with \`-v ${path}:${path}:ro,rslave\``,
  host: path => `mount ${path}`,
}

/** For the host's processes. */
export const pidLine: Line<void> = {
  kubernetes: () => "add to the pod's spec `hostPID: true`",
  container: () => 'start it with `--pid=host`',
  host: () => "run it in the host's PID namespace",
}

/** For the host's cgroups; Kubernetes cannot share the namespace, but the mount is enough. */
export const cgroupLine: Line<void> = {
  kubernetes: () => mountLine.kubernetes('/sys/fs/cgroup'),
  container: () => 'start it with `--cgroupns=host`',
  host: () => "run it in the host's cgroup namespace",
}
