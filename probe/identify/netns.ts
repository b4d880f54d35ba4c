/**
 * Finds the owner of a network namespace. A rootless container may have no cgroup of its own: then it is found by the
 * network namespace of its first process. The containers of a runtime inside a pod may not be below that pod's cgroup.
 */

import { isInCgroup, netnsOf } from './process.ts'
import type { Pod, Source } from './source.ts'

/** A namespace without an owner is looked up again so often: that reads the state of all containers. */
const LOOK_MS = 1000

export class NetnsOwners {
  readonly #source: Source
  readonly #proc: string
  readonly #now: () => number
  readonly #host: number | undefined
  #owners: ReadonlyMap<number, string> = new Map()
  #pods: ReadonlyMap<number, Pod> = new Map()
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(source: Source, proc: string, now: () => number) {
    this.#source = source
    this.#proc = proc
    this.#now = now
    this.#host = netnsOf(proc, 1) ?? netnsOf(proc, 'self')
  }

  isHost(inode: number): boolean {
    return inode === this.#host
  }

  /** The container without a cgroup of its own that has this namespace. */
  find(inode: number): string | undefined {
    const known = this.#owners.get(inode)
    if (known || this.#now() - this.#lookedMs < LOOK_MS) return known
    this.look()
    return this.#owners.get(inode)
  }

  /** The pod whose containers are in this namespace. */
  podOf(inode: number): Pod | undefined {
    const known = this.#pods.get(inode)
    if (known || this.#now() - this.#lookedMs < LOOK_MS) return known
    this.look()
    return this.#pods.get(inode)
  }

  look(): void {
    const containers = new Map<number, string[]>()
    const pods = new Map<number, Pod>()
    for (const { id, pid } of this.#source.running()) {
      const inode = pid === 0 ? undefined : netnsOf(this.#proc, pid)
      if (inode === undefined || this.isHost(inode)) continue
      if (isInCgroup(this.#proc, pid, id)) {
        const pod = pods.has(inode) ? undefined : this.#source.find(id)?.pod
        if (pod) pods.set(inode, pod)
        continue
      }
      containers.set(inode, [...(containers.get(inode) ?? []), id])
    }
    this.#pods = pods
    this.#owners = new Map(
      [...containers].flatMap(([inode, ids]) => {
        const owner = this.#only(ids)
        return owner === undefined ? [] : [[inode, owner] as const]
      }),
    )
    this.#lookedMs = this.#now()
  }

  /** Several containers share it: they are a pod, and its sandbox stands for all of them, or the owner is unknown. */
  #only(ids: readonly string[]): string | undefined {
    const isSandbox = (id: string) => this.#source.find(id)?.sandbox === true
    const containers = ids.length > 1 ? ids.filter(id => !isSandbox(id)) : ids
    if (containers.length === 1) return containers[0]
    const sandboxes = ids.filter(isSandbox)
    return sandboxes.length === 1 ? sandboxes[0] : undefined
  }
}
