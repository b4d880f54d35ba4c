/** What a cgroup's path says: the innermost container and the outermost pod, read from the right. */

export interface PathNames {
  /** The runtime's id of the container: 64 hex digits. */
  readonly container: string
  /** Who names its cgroups so; `cri` where only Kubernetes' directory is to be seen. */
  readonly runtime: string
  /** UID of the pod, with dashes. */
  readonly pod?: string
}

/** How runtimes name the cgroup of a container, by the systemd driver and by cgroupfs. */
const CONTAINERS: readonly { runtime: string; name: RegExp }[] = [
  { runtime: 'containerd', name: /^cri-containerd-([0-9a-f]{64})\.scope$/ },
  { runtime: 'docker', name: /^docker-([0-9a-f]{64})\.scope$/ },
  { runtime: 'cri-o', name: /^crio-([0-9a-f]{64})(?:\.scope)?$/ },
  { runtime: 'podman', name: /^libpod-([0-9a-f]{64})(?:\.scope)?$/ },
  { runtime: 'cri', name: /^([0-9a-f]{64})$/ },
]

/** cgroupfs: `pod<uid>`; systemd: `kubepods-burstable-pod<uid with underscores>.slice`. A static pod's UID has no dashes. */
const POD =
  /^(?:kubepods(?:-[a-z]+)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/

/** @param names of the cgroup and its parents, leaf first */
export function namesOf(names: readonly string[]): PathNames | undefined {
  for (const [depth, name] of names.entries()) {
    for (const { runtime, name: shape } of CONTAINERS) {
      const container = shape.exec(name)?.[1]
      if (!container) continue
      const parents = names.slice(depth + 1)
      const pod = parents.findLast(parent => POD.test(parent))
      const known = runtime === 'cri' && parents[0] === 'docker' ? 'docker' : runtime
      return pod
        ? { container, runtime: known, pod: POD.exec(pod)![1]!.replaceAll('_', '-') }
        : { container, runtime: known }
    }
  }
  return undefined
}
