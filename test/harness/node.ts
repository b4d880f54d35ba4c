import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCgroup, removeCgroup } from './cgroup.ts'
import { type Cgroups, cgroupPath, hierarchiesOf } from './cgroup_layout.ts'
import { Cleanup, type Closable } from './cleanup.ts'
import { type Containerd, CRI_NAMESPACE, startContainerd } from './containerd.ts'
import {
  type Container,
  type ContainerSpec,
  createContainer,
  createSandbox,
  type Pod,
  type PodSpec,
  type SandboxConfig,
  sandboxConfig,
} from './pod.ts'
import { type Child, start } from './process.ts'

export interface Executed {
  stdout: string
  stderr: string
  exitCode: number
}

const EXEC_TIMEOUT_S = 30

/** A Kubernetes node without its kubelet: a private containerd, and what kubelet does for pods on it. */
export class Node implements Closable {
  readonly containerd: Containerd
  /** As kubelet's /var/log/pods: `<namespace>_<pod>_<uid>/<container>/0.log`. */
  readonly podLogs: string
  readonly #cgroups: Cgroups | undefined
  readonly #cleanup = new Cleanup()
  readonly #pods = new Map<string, { config: SandboxConfig; cleanup: Cleanup }>() // by uid

  constructor(containerd: Containerd & Closable, cgroups?: Cgroups) {
    this.containerd = containerd
    this.#cgroups = cgroups
    this.podLogs = join(containerd.directory, 'pods')
    this.#cleanup.defer(() => containerd.close())
  }

  async runPod<Name extends string>(spec: PodSpec<Name>): Promise<Pod<Name>> {
    const { cri } = this.containerd
    const config = sandboxConfig(spec, this.podLogs)
    const { name, namespace, uid } = config.metadata
    const cgroup = this.#cgroupPath(config.linux.cgroup_parent)
    const cleanup = new Cleanup()
    this.#pods.set(uid, { config, cleanup })
    cleanup.defer(() => removeCgroup(cgroup))
    await mkdir(config.log_directory, { recursive: true })
    await makeCgroup(cgroup, this.#cgroups && hierarchiesOf(this.#cgroups).map(({ path }) => path))
    const sandbox = await createSandbox(cri, config)
    const sandboxRequest = { pod_sandbox_id: sandbox.sandboxId }
    cleanup.defer(() => cri.call('RemovePodSandbox', sandboxRequest))
    cleanup.defer(() => cri.call('StopPodSandbox', sandboxRequest))
    const pod = { name, namespace, uid, cgroup, ...sandbox }
    const containers: Record<string, Container> = {}
    for (const container of spec.containers)
      containers[container.name] = await this.addContainer(pod, container)
    return { ...pod, containers }
  }

  /** Starts one more container in a pod, or with `attempt` one that ended anew: it has a new id. */
  async addContainer(
    { uid, sandboxId }: Pick<Pod, 'uid' | 'sandboxId'>,
    spec: ContainerSpec,
  ): Promise<Container> {
    const { config } = this.#pods.get(uid)!
    const container = await createContainer(this.containerd.cri, sandboxId, config, spec)
    return { ...container, cgroup: this.#cgroupPath(container.cgroup) }
  }

  /** Runs a command in a container to its end (CRI ExecSync). */
  async exec(container: Container, command: readonly string[]): Promise<Executed> {
    const request = { container_id: container.id, cmd: command, timeout: EXEC_TIMEOUT_S }
    const answer = await this.containerd.cri.call('ExecSync', request)
    const { stdout, stderr, exit_code } = answer
    return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode: exit_code }
  }

  /**
   * Starts a command in a container and speaks to it line by line, as `kubectl exec -i`. The child is `ctr`;
   * it passes its SIGTERM on. The command's own pid is among `processesIn(container.cgroup)`.
   */
  start(container: Container, command: readonly string[]): Child {
    const { socket, directory } = this.containerd
    const ctr = ['ctr', '-a', socket, '-n', CRI_NAMESPACE, 'tasks', 'exec']
    const options = ['--exec-id', randomUUID(), '--fifo-dir', directory]
    const child = start([...ctr, ...options, container.id, ...command])
    this.#cleanup.defer(() => child.close())
    return child
  }

  /** Stops and removes a container; its pod stays. */
  async stopContainer({ id }: Container, timeoutS = 2): Promise<void> {
    await this.containerd.cri.call('StopContainer', { container_id: id, timeout: timeoutS })
    await this.containerd.cri.call('RemoveContainer', { container_id: id })
  }

  async removePod({ uid }: { uid: string }): Promise<void> {
    const pod = this.#pods.get(uid)
    this.#pods.delete(uid)
    await pod?.cleanup.close()
  }

  async close(): Promise<void> {
    for (const uid of this.#pods.keys()) this.#cleanup.defer(() => this.removePod({ uid }))
    await this.#cleanup.close()
  }

  #cgroupPath(path: string): string {
    return this.#cgroups ? cgroupPath(this.#cgroups, path) : path
  }
}

/**
 * @param cgroups another layout than the machine's, or names as systemd gives them
 * @param isShared see startContainerd
 */
export async function startNode(cgroups?: Cgroups, isShared = false): Promise<Node> {
  return new Node(await startContainerd(cgroups, isShared), cgroups)
}
