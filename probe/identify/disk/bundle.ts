/**
 * Containers of containerd, from the OCI bundles it keeps on disk while they run:
 * `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/{config.json,init.pid}`. The CRI plugin and nerdctl write names
 * into the annotations. Docker's containers are in the namespace moby. No credentials, no socket.
 */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isInCgroup, isInMounts, startOf } from '../process.ts'
import { type Described, merge, type Running, type Source } from '../source.ts'
import { describe } from './annotations.ts'
import { DockerFiles } from './docker_state.ts'
import { elements, expand, isRecord, list, member, readJson, readText, textOr, textsOf } from './files.ts'

/** `id` is the name in containerd's namespace where that is no id of 64 hex digits: `<namespace>/<name>`. */
export interface Bundle extends Described, Running {
  /** Where Docker keeps its state: each user who runs containers has a data root of his own. */
  readonly dockerDirectory?: string
}

const TASKS = 'io.containerd.runtime.v2.task'
const DOCKER = 'moby'
const ID = /^[0-9a-f]{64}$/

function readBundle(tasks: string, namespace: string, directory: string): Bundle | undefined {
  const path = join(tasks, namespace, directory)
  const pid = Number(readText(join(path, 'init.pid')))
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  const config = readJson(join(path, 'config.json'))
  if (config === undefined) return undefined
  const id = idOf(namespace, directory)
  const runtime = namespace === DOCKER ? 'docker' : 'containerd'
  const name = id === directory ? {} : { name: directory }
  const dockerDirectory = namespace === DOCKER ? stateMountedFor(config, id) : undefined
  return {
    id,
    pid,
    runtime,
    ...name,
    ...(dockerDirectory !== undefined && { dockerDirectory }),
    ...describe(textsOf(member(config, 'annotations'))),
  }
}

/** `<data root>/containers/<id>/hosts` and the like are mounted into Docker's containers. */
function stateMountedFor(config: unknown, id: string): string | undefined {
  const mounts = elements(isRecord(config) ? config['mounts'] : undefined)
  const sources = mounts.map(mount => textOr(isRecord(mount) ? mount['source'] : ''))
  return sources.map(dirname).find(directory => directory.endsWith(`/containers/${id}`))
}

const idOf = (namespace: string, directory: string): string =>
  ID.test(directory) ? directory : `${namespace}/${directory}`

export class Bundles implements Source {
  readonly #states: readonly string[]
  readonly #proc: string
  readonly #docker = new DockerFiles()
  #known = new Map<string, Bundle>()
  /** First processes that are in no cgroup of their own: a process id may have been given to another. */
  readonly #starts = new Map<string, { readonly pid: number; readonly start: number }>()

  /**
   * @param states state directories of containerd, for example `/run/containerd`; `*` for any one name, as in `/run/user/<any>/docker`
   * @param proc where procfs is mounted
   */
  constructor(states: readonly string[], proc = '/proc') {
    this.#states = states
    this.#proc = proc
  }

  /** One container, if its bundle is on disk. */
  find(id: string): Described | undefined {
    const bundle = this.#bundle(id)
    if (!bundle) return undefined
    const { dockerDirectory, ...own } = bundle
    const state = dockerDirectory === undefined ? undefined : this.#docker.find(dockerDirectory)
    return state ? merge(own, state) : own
  }

  #bundle(id: string): Bundle | undefined {
    const known = this.#known.get(id)
    if (known) return known
    const [namespace, directory] = id.split('/')
    for (const tasks of this.#tasks())
      for (const place of directory === undefined ? list(tasks) : [namespace!]) {
        const bundle = readBundle(tasks, place, directory ?? id)
        if (bundle?.id !== id) continue
        this.#known.set(id, bundle)
        return bundle
      }
    return undefined
  }

  sees(): boolean {
    return this.#tasks().some(tasks => existsSync(tasks))
  }

  isNamed(namespace: string, name: string): boolean {
    return this.#tasks().some(tasks => existsSync(join(tasks, namespace, name, 'config.json')))
  }

  /** All containers that have a running process now, sandboxes included. One started again has another first process. */
  running(): Bundle[] {
    const ids = this.#tasks().flatMap(tasks =>
      list(tasks).flatMap(namespace => list(join(tasks, namespace)).map(name => idOf(namespace, name))),
    )
    const known = new Map<string, Bundle>()
    for (const id of new Set(ids)) {
      const before = this.#known.get(id)
      if (before && !this.#isAlive(before)) this.#known.delete(id)
      const bundle = this.#bundle(id)
      if (bundle) known.set(id, bundle)
    }
    this.#known = known // bounded by what is on disk
    for (const id of this.#starts.keys()) if (!known.has(id)) this.#starts.delete(id)
    return [...known.values()].filter(bundle => this.#isAlive(bundle))
  }

  #tasks(): string[] {
    return this.#states.flatMap(expand).map(state => join(state, TASKS))
  }

  /** Its process may be in no cgroup of its own: rootless, or with cgroups left to others. */
  #isAlive({ id, pid }: Bundle): boolean {
    if (isInCgroup(this.#proc, pid, id)) return true
    const start = startOf(this.#proc, pid)
    const known = this.#starts.get(id)
    if (known?.pid === pid && known.start === start) return start !== undefined
    if (start === undefined || !isInMounts(this.#proc, pid, id)) return false
    this.#starts.set(id, { pid, start })
    return true
  }
}
