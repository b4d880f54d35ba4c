/** Where this process runs, and the line that gives it there what it lacks. */

import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Host, textIn } from './finding.ts'

export type Surroundings = 'kubernetes' | 'container' | 'host'

/** By the files and mounts that kubelet, Docker and podman make in a container. */
export function surroundingsOf(host: Pick<Host, 'root'>): Surroundings {
  const mounts = textIn(host, '/proc/self/mountinfo') ?? ''
  if (/\/kubelet\/pods\//.test(mounts)) return 'kubernetes'
  const isContainer =
    existsSync(join(host.root, '.dockerenv')) ||
    existsSync(join(host.root, 'run/.containerenv')) ||
    /\/(docker\/containers|containers\/storage)\//.test(mounts)
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
