/**
 * Names from where kubelet lets containers log (kubernetes, pkg/kubelet/kuberuntime/legacy.go and helpers.go):
 * `containers/<pod>_<namespace>_<container>-<id>.log`, links into `pods/<namespace>_<pod>_<uid>/<container>/`. None of
 * these names may have an underscore in it, so each can be taken apart in one way. Sandboxes log nothing.
 */

import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { PathNames } from '../path.ts'
import type { Described, Pod, Source } from '../source.ts'
import { changeOf, list, present } from './files.ts'

const LINK = /^([^_]+)_([^_]+)_([^_]+)-([0-9a-f]{64})\.log$/
const POD = /^([^_]+)_([^_]+)_([^_]+)$/

/** A directory's names by key, read again when the directory changed. */
class Index<T> {
  readonly #path: string
  readonly #entry: (name: string) => [string, T] | undefined
  #changed = -1
  readonly #entries = new Map<string, T>()

  constructor(path: string, entry: (name: string) => [string, T] | undefined) {
    this.#path = path
    this.#entry = entry
  }

  get(key: string): T | undefined {
    const changed = changeOf(this.#path)
    if (changed !== this.#changed) {
      this.#changed = changed
      this.#entries.clear()
      for (const name of list(this.#path)) {
        const entry = this.#entry(name)
        if (entry) this.#entries.set(...entry)
      }
    }
    return this.#entries.get(key)
  }
}

export class KubeletLogs implements Source {
  readonly #containers: readonly Index<{ name: string; pod: Pod }>[]
  readonly #pods: readonly Index<Pod>[]

  /** @param logs directories with `containers/` and `pods/`, for example `/var/log` */
  constructor(logs: readonly string[]) {
    this.#containers = logs
      .map(path => join(path, 'containers'))
      .map(path => new Index(path, containerIn(path)))
    this.#pods = logs.map(path => new Index(join(path, 'pods'), podIn))
  }

  find(id: string, path?: PathNames): Described | undefined {
    const container = this.#containers.map(index => index.get(id)).find(Boolean)
    if (container) {
      const { name, pod } = container
      return { name, pod: { ...pod, uid: pod.uid || (path?.pod ?? '') } }
    }
    const pod = path?.pod && this.#pods.map(index => index.get(path.pod!)).find(Boolean)
    return pod ? { pod } : undefined
  }

  /** Logs outlive their container. */
  running(): [] {
    return []
  }
}

function podIn(directory: string): [string, Pod] | undefined {
  const [, namespace, name, uid] = POD.exec(directory) ?? []
  return uid && name && namespace ? [uid, { uid, name, namespace }] : undefined
}

function containerIn(directory: string) {
  return (link: string): [string, { name: string; pod: Pod }] | undefined => {
    const [, pod, namespace, name, id] = LINK.exec(link) ?? []
    if (!pod || !namespace || !name || !id) return undefined
    const target = present(() => readlinkSync(join(directory, link))) ?? ''
    const uid = target.split('/').flatMap(part => podIn(part)?.[1].uid ?? [])[0] ?? ''
    return [id, { name, pod: { uid, name: pod, namespace } }]
  }
}
