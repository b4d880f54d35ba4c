/**
 * Containers of podman and CRI-O, from what the OCI runtime keeps of them while they run: runc in `<root>/<id>/state.json`
 * (libcontainer's State), crun in `<root>/<id>/status` (libcrun/status.c). Both have the path of the bundle. Its
 * annotations have the names of CRI-O, and the store of the bundle has the others.
 */

import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { startOf } from '../process.ts'
import { type Described, merge, type Running, type Source } from '../source.ts'
import { describe } from './annotations.ts'
import { elements, expand, isRecord, list, member, readJson, textOr, textsOf } from './files.ts'
import { Kept } from './kept.ts'
import { Store } from './store.ts'

/** Directories of bundles remembered: root has one, and each user who runs containers. */
const MAX_DIRECTORIES = 64
/** Bundles of one host that are remembered. */
const MAX_CONFIGS = 4096
/** podman and CRI-O keep a container's bundle in `<store>/<driver>-containers/<id>/userdata` until it is removed. */
const BUNDLE = 'userdata'

interface State extends Running {
  /** startOf(pid) as the runtime noted it; undefined where it does not. */
  readonly start: number | undefined
  readonly bundle: string
}

/** runc writes the bundle's path and all annotations as labels, `key=value`. */
function labelOf(state: unknown, key: string): string {
  const labels = elements(member(state, 'config')['labels']).map(textOr)
  return labels.find(label => label.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
}

function readState(root: string, id: string): State | undefined {
  const runc = readJson(join(root, id, 'state.json'))
  const state = runc ?? readJson(join(root, id, 'status'))
  if (!isRecord(state)) return undefined
  const pid = Number(state['init_process_pid'] ?? state['pid'])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  const start = Number(state['init_process_start'] ?? state['process-start-time'])
  const bundle = labelOf(state, 'bundle') || textOr(state['bundle'])
  return { id, pid, bundle, start: Number.isInteger(start) && start > 0 ? start : undefined }
}

export class OciStates implements Source {
  readonly #roots: readonly string[]
  readonly #proc: string
  readonly #store = new Store()
  readonly #configs = new Kept(MAX_CONFIGS, readConfig)
  /** Where bundles were: the runtime forgets a container when it ends, its bundle still has its names. */
  readonly #directories = new Set<string>()
  #known = new Map<string, State>()

  /**
   * @param roots directories of runc or crun, `*` for any one name, as in `/run/user/<any>/crun`
   * @param proc where procfs is mounted
   */
  constructor(roots: readonly string[], proc = '/proc') {
    this.#roots = roots
    this.#proc = proc
  }

  find(id: string): Described | undefined {
    if (id.includes('/')) return undefined
    const bundle = (this.#known.get(id) ?? this.#read(id))?.bundle ?? this.#leftBundle(id)
    if (bundle === undefined) return undefined
    const { described, stores } = this.#configs.get(join(bundle, 'config.json'))
    const directories = new Set([dirname(dirname(bundle)), ...storesOf(stores, id)])
    for (const directory of directories) {
      const stored = this.#store.find(directory, id)
      if (stored) return merge(described, stored)
    }
    return described
  }

  sees(): boolean {
    return this.#roots.flatMap(expand).some(root => existsSync(root))
  }

  running(): Running[] {
    const known = new Map<string, State>()
    for (const root of this.#roots.flatMap(expand))
      for (const id of list(root)) {
        const before = this.#known.get(id)
        const state = before && this.#isAlive(before) ? before : readState(root, id)
        if (state && this.#isAlive(state) && !known.has(id)) known.set(id, this.#remember(state))
      }
    this.#known = known
    return [...known.values()]
  }

  #remember(state: State): State {
    const { bundle } = state
    if (basename(bundle) === BUNDLE && this.#directories.size < MAX_DIRECTORIES)
      this.#directories.add(dirname(dirname(bundle)))
    return state
  }

  #leftBundle(id: string): string | undefined {
    const bundles = [...this.#directories].map(directory => join(directory, id, BUNDLE))
    return bundles.find(bundle => existsSync(join(bundle, 'config.json')))
  }

  #read(id: string): State | undefined {
    for (const root of this.#roots.flatMap(expand)) {
      const state = readState(root, id)
      if (state) return this.#remember(state)
    }
    return undefined
  }

  /** Its first process is there and still its own: a process id may have been given to another. */
  #isAlive({ pid, start }: State): boolean {
    const now = startOf(this.#proc, pid)
    return now !== undefined && (start === undefined || start === now)
  }
}

function readConfig(path: string) {
  const config = readJson(path)
  const mounts = elements(isRecord(config) ? config['mounts'] : undefined)
  const sources = mounts.map(mount => textOr(isRecord(mount) ? mount['source'] : ''))
  return {
    described: describe(textsOf(member(config, 'annotations'))),
    stores: sources.filter(source => source.includes('-containers/')),
  }
}

/** `<place>/overlay-containers/<id>/userdata/hosts` and the like are mounted into containers from where their store is. */
function storesOf(sources: readonly string[], id: string): string[] {
  return sources.flatMap(source => {
    const end = source.indexOf(`-containers/${id}/userdata/`)
    return end < 0 ? [] : [`${source.slice(0, end)}-containers`]
  })
}
