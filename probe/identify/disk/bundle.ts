/**
 * Containers of containerd, from the OCI bundles it keeps on disk while they run:
 * `<state>/io.containerd.runtime.v2.task/<namespace>/<id>/{config.json,init.pid}`. The CRI plugin and nerdctl write names
 * into the annotations. Docker's containers are in the namespace moby. No credentials, no socket.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isInCgroup } from '../process.ts'
import type { Described, Running, Source } from '../source.ts'
import { describe } from './annotations.ts'
import { list, member, readJson, readText, textsOf } from './files.ts'

/** `id` is the name in containerd's namespace where that is no id of 64 hex digits: `<namespace>/<name>`. */
export interface Bundle extends Described, Running {}

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
  return { id, pid, runtime, ...name, ...describe(textsOf(member(config, 'annotations'))) }
}

const idOf = (namespace: string, directory: string): string =>
  ID.test(directory) ? directory : `${namespace}/${directory}`

export class Bundles implements Source {
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
      const bundle = this.find(id)
      if (bundle) known.set(id, bundle)
    }
    this.#known = known // bounded by what is on disk
    return [...known.values()].filter(bundle => this.#isAlive(bundle))
  }

  #tasks(): string[] {
    return this.#states.map(state => join(state, TASKS))
  }

  #isAlive({ id, pid }: Bundle): boolean {
    return isInCgroup(this.#proc, pid, id)
  }
}
