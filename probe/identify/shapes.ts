/** How runtimes name the cgroup of a container. */

const ID = '([0-9a-f]{64})'
/** Allowed names of containers of containerd and LXC. */
export const NAME = '([A-Za-z0-9][A-Za-z0-9_.-]*)'
/** systemd writes a dash in a machine's name as `\x2d`: unit names, systemd.unit(5). */
const ESCAPED = '([A-Za-z0-9](?:[A-Za-z0-9_.-]|\\\\x[0-9a-f]{2})*)'
/** BuildKit, identity/randomid.go: 25 digits of base 36. */
const STEP = '([0-9a-z]{25})'

export interface Shape {
  readonly runtime: string
  /** The cgroup's name; the group is the container's id or name. */
  readonly name: RegExp
  /** The name of the cgroup above, where that is part of the shape. */
  readonly parent?: RegExp
  /** With a cgroup of this name below it, it is not the container's. */
  readonly unless?: string
  /** The container has no id but this name in this namespace of the runtime. */
  readonly namespace?: string
  /** Its name; without this, the name in the namespace. */
  readonly called?: string
}

/**
 * By the systemd driver (`.scope`) and by cgroupfs; the first that fits. What surrounds containers fits none:
 * `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`, `lxc.monitor.<name>`, names of 32 hex digits, services.
 */
export const CONTAINERS: readonly Shape[] = [
  { runtime: 'containerd', name: RegExp(`^cri-containerd-${ID}\\.scope$`) },
  { runtime: 'containerd', name: RegExp(`^nerdctl-${ID}\\.scope$`) },
  { runtime: 'docker', name: RegExp(`^docker-${ID}\\.scope$`) },
  { runtime: 'cri-o', name: RegExp(`^crio-${ID}(?:\\.scope)?$`) },
  // podman's split mode says payload
  { runtime: 'podman', name: RegExp(`^libpod-(?:payload-)?${ID}(?:\\.scope)?$`) },
  // `<slice>:<prefix>:<id>` are the words of the systemd driver; a runtime with cgroupfs takes them for a path
  { runtime: 'containerd', name: RegExp(`^[^:]+\\.slice:(?:cri-containerd|nerdctl):${ID}$`) },
  { runtime: 'cri-o', name: RegExp(`^[^:]+\\.slice:crio:${ID}$`) },
  { runtime: 'docker', name: RegExp(`^[^:]+\\.slice:docker:${ID}$`) },
  { runtime: 'podman', name: RegExp(`^[^:]+\\.slice:libpod:${ID}$`) },
  { runtime: 'docker', name: RegExp(`^${ID}$`), parent: /^docker$/ },
  { runtime: 'podman', name: RegExp(`^${ID}$`), parent: /^(?:user@\d+\.service|user\.slice)$/ },
  { runtime: 'cri', name: RegExp(`^${ID}$`) },
  // Fargate: `ecs/<task>/<task>-<number>`; the two tasks may differ
  { runtime: 'ecs', name: /^([0-9a-f]{32}-\d{1,20})$/, parent: /^[0-9a-f]{32}$/ },
  // a step of a build: in dockerd, in buildkitd, and in dockerd with the systemd driver's words
  {
    runtime: 'buildkit',
    name: RegExp(`^${STEP}$`),
    parent: /^buildkit$/,
    namespace: 'buildkit',
    called: 'buildkit',
  },
  {
    runtime: 'buildkit',
    name: RegExp(`^[^:]+\\.slice:(?:docker|buildkit):${STEP}$`),
    namespace: 'buildkit',
    called: 'buildkit',
  },
  // liblxc has named them so since 4.0, then with a directory between since 3.1, and so before
  { runtime: 'lxc', name: RegExp(`^lxc\\.payload\\.${NAME}$`), namespace: 'lxc' },
  { runtime: 'lxc', name: RegExp(`^${NAME}$`), parent: /^lxc(?:\.payload)?$/, namespace: 'lxc' },
  // systemd-nspawn, of its own or as a unit; its supervisor is the host's. libvirt calls virtual machines so, too.
  {
    runtime: 'nspawn',
    name: RegExp(`^machine-(?!(?:qemu|lxc)\\\\x2d)${ESCAPED}\\.scope$`),
    namespace: 'nspawn',
    unless: 'supervisor',
  },
  {
    runtime: 'nspawn',
    name: RegExp(`^systemd-nspawn@${ESCAPED}\\.service$`),
    namespace: 'nspawn',
    unless: 'supervisor',
  },
]

/** cgroupfs: `pod<uid>`; systemd: `kubepods-burstable-pod<uid with underscores>.slice`, after the names of the slices above
 * where kubelet has a `--cgroup-root` (kind: `kubelet-kubepods-…`). A static pod's UID has no dashes. */
export const POD =
  /^(?:(?:[\w-]+-)?kubepods(?:-[a-z]+)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/

export const unescaped = (name: string): string =>
  name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
