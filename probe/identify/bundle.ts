/**
 * Containers of containerd, from the OCI bundles it keeps on disk while they run:
 * `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/{config.json,init.pid}`. The CRI plugin writes the names of pod
 * and container into the annotations (containerd, pkg/cri/annotations). No credentials, no socket.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Bundle {
  readonly id: string
  /** Of the container's first process, on the host. */
  readonly pid: number
  readonly sandbox: boolean
  readonly name?: string
  readonly image?: string
  readonly pod?: { readonly uid: string; readonly name: string; readonly namespace: string }
}

const TASKS = 'io.containerd.runtime.v2.task'
const CRI = 'io.kubernetes.cri.'
/** A config.json of containerd is some 10 KB; what is larger than this is none. */
const MAX_CONFIG = 4 * 1024 * 1024

/** A file or directory that is not there, or not any more, is nothing to speak of. */
function present<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const list = (path: string): string[] => present(() => readdirSync(path)) ?? []

function annotationsOf(config: string): Record<string, string> {
  const value: unknown = present(() => JSON.parse(config))
  const annotations = (value as { annotations?: unknown } | undefined)?.annotations
  if (typeof annotations !== 'object' || annotations === null) return {}
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function readBundle(path: string, id: string): Bundle | undefined {
  const pid = Number(present(() => readFileSync(join(path, 'init.pid'), 'utf8')))
  const config = present(() => readFileSync(join(path, 'config.json'), 'utf8'))
  if (!Number.isInteger(pid) || pid <= 0 || !config || config.length > MAX_CONFIG) return undefined
  const note = annotationsOf(config)
  const uid = note[`${CRI}sandbox-uid`] ?? ''
  const podName = note[`${CRI}sandbox-name`]
  const name = note[`${CRI}container-name`]
  const image = note[`${CRI}image-name`]
  return {
    id,
    pid,
    sandbox: note[`${CRI}container-type`] === 'sandbox',
    ...(name && { name }),
    ...(image && { image }),
    ...(podName && { pod: { uid, name: podName, namespace: note[`${CRI}sandbox-namespace`] ?? '' } }),
  }
}

export class Bundles {
  readonly #states: readonly string[]
  readonly #proc: string
  #known = new Map<string, Bundle>()

  /**
   * @param states state directories of containerd, for example `/run/containerd`
   * @param proc where procfs is mounted
   */
  constructor(states: readonly string[], proc = '/proc') {
    this.#states = states
    this.#proc = proc
  }

  /** One container, if its bundle is on disk. */
  find(id: string): Bundle | undefined {
    const known = this.#known.get(id)
    if (known) return known
    for (const tasks of this.#states.map(state => join(state, TASKS)))
      for (const namespace of list(tasks)) {
        const bundle = readBundle(join(tasks, namespace, id), id)
        if (bundle) {
          this.#known.set(id, bundle)
          return bundle
        }
      }
    return undefined
  }

  /** All containers that have a running process now, sandboxes included. */
  running(): Bundle[] {
    const ids = this.#states
      .map(state => join(state, TASKS))
      .flatMap(tasks => list(tasks).flatMap(namespace => list(join(tasks, namespace))))
    const known = new Map<string, Bundle>()
    for (const id of new Set(ids)) {
      const bundle = this.find(id)
      if (bundle) known.set(id, bundle)
    }
    this.#known = known // bounded by what is on disk
    return [...known.values()].filter(bundle => this.#isAlive(bundle))
  }

  /** Its first process is there and still its own: a process id may have been given to another. */
  #isAlive({ id, pid }: Bundle): boolean {
    return present(() => readFileSync(join(this.#proc, String(pid), 'cgroup'), 'utf8'))?.includes(id) ?? false
  }
}
