/** Pods from manifests, started over CRI as kubelet starts them: what is in the YAML reaches the runtime, nothing else. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCgroup, removeCgroup } from '../cgroup.ts'
import { type Cleanup, type Closable, closable } from '../cleanup.ts'
import type { Cri } from '../cri.ts'
import { type Container, createSandbox, started } from '../pod.ts'
import { until } from '../until.ts'
import type { ContainerTemplate, PodTemplate, SecurityContext, Volume } from './template.ts'

/** What the manifests find on a node of the tests. */
export interface Node {
  readonly name: string
  /** Where a path of the node is here. */
  place(path: string): string
  /** Contents of the Secrets, by name and key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** For volumes and logs. */
  readonly directory: string
}

export interface RunningPod extends Closable {
  readonly sandboxId: string
  readonly containers: Readonly<Record<string, Container>>
}

/** kubelet hides and protects these: k8s.io/kubernetes, pkg/securitycontext/util.go. */
const MASKED = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
]
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']
const PROPAGATION: Readonly<Record<string, string>> = { HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER' }

export function startPod(
  cri: Cri,
  name: string,
  namespace: string,
  pod: PodTemplate,
  node: Node,
): Promise<RunningPod> {
  return closable(cleanup => start(cleanup, cri, name, namespace, pod, node))
}

async function start(
  cleanup: Cleanup,
  cri: Cri,
  name: string,
  namespace: string,
  pod: PodTemplate,
  node: Node,
): Promise<Omit<RunningPod, 'close'>> {
  const uid = randomUUID()
  const namespaces = { network: pod.hostNetwork ? 'NODE' : 'POD', pid: pod.hostPID ? 'NODE' : 'CONTAINER' }
  const labels = {
    'io.kubernetes.pod.name': name,
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.uid': uid,
  }
  const sandbox = {
    metadata: { name, namespace, uid, attempt: 0 },
    hostname: name,
    log_directory: join(node.directory, 'pods', `${namespace}_${name}_${uid}`),
    port_mappings: [],
    labels,
    annotations: { 'kubernetes.io/config.source': 'api' },
    linux: {
      cgroup_parent: `/kubepods/burstable/pod${uid}`,
      security_context: { namespace_options: namespaces, seccomp: seccompOf(pod.securityContext) },
    },
  }
  cleanup.defer(() => removeCgroup(sandbox.linux.cgroup_parent))
  await makeCgroup(sandbox.linux.cgroup_parent)
  const made = await createSandbox(cri, sandbox)
  const request = { pod_sandbox_id: made.sandboxId }
  cleanup.defer(() => cri.call('RemovePodSandbox', request))
  cleanup.defer(() => cri.call('StopPodSandbox', request))
  const volumes = new Map<string, string>()
  for (const volume of pod.volumes ?? []) volumes.set(volume.name, await prepared(volume, pod, node, uid))
  const containers: Record<string, Container> = {}
  for (const template of [...(pod.initContainers ?? []), ...pod.containers]) {
    await mkdir(join(sandbox.log_directory, template.name), { recursive: true })
    containers[template.name] = await started(cri, made.sandboxId, sandbox, {
      metadata: { name: template.name, attempt: 0 },
      image: { image: template.image },
      command: template.command ?? [],
      args: template.args ?? [],
      envs: (template.env ?? []).map(({ name, value, valueFrom }) => ({
        key: name,
        value: value ?? resolved(valueFrom, node),
      })),
      mounts: (template.volumeMounts ?? []).map(mount => ({
        container_path: mount.mountPath,
        host_path: volumes.get(mount.name) ?? fail(`there is no volume ${mount.name}`),
        readonly: mount.readOnly ?? false,
        propagation: PROPAGATION[mount.mountPropagation ?? ''] ?? 'PROPAGATION_PRIVATE',
      })),
      labels: { ...labels, 'io.kubernetes.container.name': template.name },
      annotations: { 'io.kubernetes.container.restartCount': '0' },
      log_path: `${template.name}/0.log`,
      linux: { security_context: contextOf(template, pod, namespaces) },
    })
    const { pid } = containers[template.name]!
    if (pod.initContainers?.includes(template))
      await until(`the end of ${template.name}`, () => !existsSync(`/proc/${pid}`))
  }
  return { sandboxId: made.sandboxId, containers }
}

const fail = (message: string): never => {
  throw new Error(message)
}

function resolved(from: NonNullable<ContainerTemplate['env']>[number]['valueFrom'], node: Node): string {
  if (from?.fieldRef?.fieldPath === 'spec.nodeName') return node.name
  const { name, key } = from?.secretKeyRef ?? fail('this source of a variable is not known here')
  return node.secrets[name]?.[key] ?? fail(`there is no secret ${name} with ${key}`)
}

/** The directory behind a volume. */
async function prepared(
  { name, hostPath, emptyDir, secret }: Volume,
  pod: PodTemplate,
  node: Node,
  uid: string,
): Promise<string> {
  if (hostPath) {
    const path = node.place(hostPath.path)
    await mkdir(path, { recursive: true }) // containerd does so, too
    return path
  }
  const path = join(node.directory, 'kubelet/pods', uid, 'volumes', name)
  await mkdir(path, { recursive: true })
  const group = pod.securityContext?.fsGroup
  if (group !== undefined) await chown(path, 0, group)
  if (emptyDir) await chmod(path, 0o777)
  if (!secret) return path
  for (const [key, text] of Object.entries(
    node.secrets[secret.secretName] ?? fail(`there is no secret ${secret.secretName}`),
  )) {
    await writeFile(join(path, key), text)
    await chmod(join(path, key), secret.defaultMode ?? 0o644)
    if (group !== undefined) await chown(join(path, key), 0, group)
  }
  return path
}

const seccompOf = (context?: SecurityContext) => ({
  profile_type: context?.seccompProfile?.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined',
})

function contextOf(template: ContainerTemplate, pod: PodTemplate, namespaces: object) {
  const own = template.securityContext ?? {}
  const context = { ...pod.securityContext, ...own }
  const number = (value: number | undefined) => (value === undefined ? {} : { value })
  return {
    capabilities: {
      add_capabilities: own.capabilities?.add ?? [],
      drop_capabilities: own.capabilities?.drop ?? [],
    },
    privileged: own.privileged ?? false,
    namespace_options: namespaces,
    ...(context.runAsUser !== undefined && { run_as_user: number(context.runAsUser) }),
    ...(context.runAsGroup !== undefined && { run_as_group: number(context.runAsGroup) }),
    supplemental_groups: context.fsGroup === undefined ? [] : [context.fsGroup],
    readonly_rootfs: own.readOnlyRootFilesystem ?? false,
    no_new_privs: own.allowPrivilegeEscalation === false,
    masked_paths: MASKED,
    readonly_paths: READ_ONLY,
    seccomp: seccompOf(context),
  }
}
