/** What a cgroup's path says: the innermost container and the outermost pod, read from the right. */

export interface PathNames {
  /** The runtime's id of the container: 64 hex digits, or `<runtime namespace>/<name>` where it has no such id. */
  readonly container: string
  /** Who names its cgroups so; `cri` where only Kubernetes' directory is to be seen. */
  readonly runtime: string
  /** UID of the pod, with dashes. */
  readonly pod?: string
  /** Where the path itself has the name that people gave it. */
  readonly name?: string
}

const ID = '([0-9a-f]{64})'
/** The containers of containerd and LXC may be called so. */
const NAME = '([A-Za-z0-9][A-Za-z0-9_.-]*)'

interface Shape {
  readonly runtime: string
  /** The cgroup's name; the group is the container's id or name. */
  readonly name: RegExp
  /** The name of the cgroup above, where that is part of the shape. */
  readonly parent?: RegExp
  /** The container has no id but this name in this namespace of the runtime. */
  readonly namespace?: string
}

/**
 * How runtimes name the cgroup of a container, by the systemd driver (`.scope`) and by cgroupfs; the first that fits.
 * What surrounds containers fits none: `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`, `lxc.monitor.<name>`,
 * names of 32 hex digits, services.
 */
const CONTAINERS: readonly Shape[] = [
  { runtime: 'containerd', name: RegExp(`^cri-containerd-${ID}\\.scope$`) },
  { runtime: 'containerd', name: RegExp(`^nerdctl-${ID}\\.scope$`) },
  { runtime: 'docker', name: RegExp(`^docker-${ID}\\.scope$`) },
  { runtime: 'cri-o', name: RegExp(`^crio-${ID}(?:\\.scope)?$`) },
  // podman's split mode says payload
  { runtime: 'podman', name: RegExp(`^libpod-(?:payload-)?${ID}(?:\\.scope)?$`) },
  // kubelet says `<slice>:cri-containerd:<id>` in the words of the systemd driver, and the runtime takes it for a path
  { runtime: 'containerd', name: RegExp(`^[^:]+\\.slice:cri-containerd:${ID}$`) },
  { runtime: 'docker', name: RegExp(`^${ID}$`), parent: /^docker$/ },
  { runtime: 'podman', name: RegExp(`^${ID}$`), parent: /^(?:user@\d+\.service|user\.slice)$/ },
  { runtime: 'cri', name: RegExp(`^${ID}$`) },
  // liblxc has named them so since 4.0, then with a directory between since 3.1, and so before
  { runtime: 'lxc', name: RegExp(`^lxc\\.payload\\.${NAME}$`), namespace: 'lxc' },
  { runtime: 'lxc', name: RegExp(`^${NAME}$`), parent: /^lxc(?:\.payload)?$/, namespace: 'lxc' },
]

/** cgroupfs: `pod<uid>`; systemd: `kubepods-burstable-pod<uid with underscores>.slice`, after the names of the slices above
 * where kubelet has a `--cgroup-root` (kind: `kubelet-kubepods-…`). A static pod's UID has no dashes. */
const POD =
  /^(?:(?:[\w-]+-)?kubepods(?:-[a-z]+)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/

const FREE_NAME = RegExp(`^${NAME}$`)

/** Whether containerd has a container of this name in a namespace: only that makes `/default/web` one. */
export type IsNamed = (namespace: string, name: string) => boolean

/** @param names of the cgroup and its parents, leaf first */
export function namesOf(names: readonly string[], isNamed: IsNamed = () => false): PathNames | undefined {
  for (const [depth, name] of names.entries()) {
    const parents = names.slice(depth + 1)
    const container = shaped(name, parents[0]) ?? freelyNamed(name, parents[0], isNamed)
    if (!container) continue
    const pod = [name.split(':')[0]!, ...parents].findLast(part => POD.test(part))
    return pod ? { ...container, pod: POD.exec(pod)![1]!.replaceAll('_', '-') } : container
  }
  return undefined
}

function shaped(name: string, parent: string | undefined): PathNames | undefined {
  for (const shape of CONTAINERS) {
    const found = shape.name.exec(name)?.[1]
    if (!found || (shape.parent && !shape.parent.test(parent ?? ''))) continue
    const { runtime, namespace } = shape
    return namespace
      ? { container: `${namespace}/${found}`, runtime, name: found }
      : { container: found, runtime }
  }
  return undefined
}

/** `/<namespace>/<name>`, as `ctr` makes them: the path alone does not tell these from any other directory. */
function freelyNamed(name: string, namespace: string | undefined, isNamed: IsNamed): PathNames | undefined {
  if (!namespace || !FREE_NAME.test(name) || !FREE_NAME.test(namespace) || !isNamed(namespace, name))
    return undefined
  return { container: `${namespace}/${name}`, runtime: 'containerd', name }
}
