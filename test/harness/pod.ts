import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cri } from './cri.ts'
import { LOAD_IMAGE } from './image.ts'

export interface ContainerSpec<Name extends string = string> {
  name: Name
  command: readonly string[]
  args?: readonly string[]
  /** How often a container of this name was started in the pod before. */
  attempt?: number
}

export interface PodSpec<Name extends string = string> {
  name: string
  namespace: string
  uid?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  hostNetwork?: boolean
  /** Ports of the node that lead to ports of the pod. */
  hostPorts?: readonly { host: number; container: number }[]
  containers: readonly ContainerSpec<Name>[]
}

export interface Container {
  name: string
  /** 64 hex digits. */
  id: string
  pid: number
  /** Below the root of each hierarchy, such as `/kubepods/burstable/pod<uid>/<id>`. */
  cgroup: string
}

export interface Pod<Name extends string = string> {
  name: string
  namespace: string
  uid: string
  sandboxId: string
  sandboxPid: number
  /** Empty with hostNetwork. */
  ip: string
  netns: string
  cgroup: string
  containers: Record<Name, Container>
}

/** A command that does nothing until it is told to stop; as pid 1, sleep(1) would ignore SIGTERM. */
export const IDLE = ['/bin/load', 'client', 'hold']

/** What kubelet asks for: labels, log paths and cgroup parent (driver cgroupfs, QoS burstable) as it sets them. */
export function sandboxConfig(spec: PodSpec, logs: string) {
  const { name, namespace, uid = randomUUID(), labels = {}, annotations = {}, hostNetwork = false } = spec
  const { hostPorts = [] } = spec
  return {
    metadata: { name, namespace, uid, attempt: 0 },
    hostname: hostNetwork ? '' : name, // runc refuses one without a UTS namespace of its own
    log_directory: join(logs, `${namespace}_${name}_${uid}`),
    port_mappings: hostPorts.map(({ host, container }) => ({ host_port: host, container_port: container })),
    labels: { ...labels, ...podLabels(name, namespace, uid) },
    annotations: { ...annotations, 'kubernetes.io/config.source': 'api' },
    linux: {
      cgroup_parent: `/kubepods/burstable/pod${uid}`,
      // NamespaceMode of cri.proto by name; containers get the same.
      security_context: { namespace_options: { network: hostNetwork ? 'NODE' : 'POD', pid: 'CONTAINER' } },
    },
  }
}

export type SandboxConfig = ReturnType<typeof sandboxConfig>

export async function createSandbox(cri: Cri, config: object) {
  const { pod_sandbox_id: sandboxId } = await cri.call('RunPodSandbox', { config })
  const { status, info } = await cri.call('PodSandboxStatus', { pod_sandbox_id: sandboxId, verbose: true })
  const { pid } = details(info)
  return { sandboxId, sandboxPid: pid, ip: status.network?.ip ?? '', netns: `/proc/${pid}/ns/net` }
}

export async function createContainer(
  cri: Cri,
  sandboxId: string,
  sandbox: SandboxConfig,
  { name, command, args = [], attempt = 0 }: ContainerSpec,
): Promise<Container> {
  const { metadata } = sandbox
  await mkdir(join(sandbox.log_directory, name), { recursive: true })
  return started(cri, sandboxId, sandbox, {
    metadata: { name, attempt },
    image: { image: LOAD_IMAGE },
    command,
    args,
    labels: {
      'io.kubernetes.container.name': name,
      ...podLabels(metadata.name, metadata.namespace, metadata.uid),
    },
    annotations: { 'io.kubernetes.container.restartCount': String(attempt) },
    log_path: `${name}/${attempt}.log`,
    linux: { security_context: sandbox.linux.security_context },
  })
}

/** Creates and starts a container from its ContainerConfig of cri.proto. */
export async function started(
  cri: Cri,
  sandboxId: string,
  sandbox: object,
  config: { readonly metadata: { readonly name: string; readonly attempt: number } } & Readonly<
    Record<string, unknown>
  >,
): Promise<Container> {
  const { name } = config.metadata
  const { container_id: id } = await cri.call('CreateContainer', {
    pod_sandbox_id: sandboxId,
    sandbox_config: sandbox,
    config,
  })
  await cri.call('StartContainer', { container_id: id })
  const { info } = await cri.call('ContainerStatus', { container_id: id, verbose: true })
  const { pid, runtimeSpec } = details(info)
  return { name, id, pid, cgroup: runtimeSpec.linux.cgroupsPath }
}

function podLabels(name: string, namespace: string, uid: string) {
  return {
    'io.kubernetes.pod.name': name,
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.uid': uid,
  }
}

function details(info: Record<string, string>) {
  return JSON.parse(info['info'] ?? '{}') as { pid: number; runtimeSpec: { linux: { cgroupsPath: string } } }
}
