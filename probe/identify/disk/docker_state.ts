/** Names of Docker's containers, from `<data root>/containers/<id>/config.v2.json` (moby, container/container.go). */

import { join } from 'node:path'
import { type Described, merge, type Source } from '../source.ts'
import { describe } from './annotations.ts'
import { expand, isRecord, member, readJson, textOr, textsOf } from './files.ts'
import { Kept } from './kept.ts'

/** Containers of one host whose state is remembered. */
const MAX_FILES = 4096
const FILE = 'config.v2.json'

/** What Docker keeps of each container, by its directory; one that is renamed has it written anew. */
export class DockerFiles {
  readonly #files = new Kept(MAX_FILES, path => {
    const state = readJson(path)
    return isRecord(state) ? described(state) : undefined
  })

  /** @param directory `<data root>/containers/<id>` */
  find(directory: string): Described | undefined {
    return this.#files.get(join(directory, FILE))
  }
}

export class DockerState implements Source {
  readonly #roots: readonly string[]
  readonly #files = new DockerFiles()

  /** @param roots data roots, for example `/var/lib/docker`; `*` for any one name, as in `/home/<any>/.local` */
  constructor(roots: readonly string[]) {
    this.#roots = roots
  }

  find(id: string): Described | undefined {
    if (id.includes('/')) return undefined
    for (const root of this.#roots.flatMap(expand)) {
      const state = this.#files.find(join(root, 'containers', id))
      if (state) return state
    }
    return undefined
  }

  /** Its bundles have it. */
  running(): [] {
    return []
  }
}

function described(state: Readonly<Record<string, unknown>>): Described {
  const config = member(state, 'Config')
  const labels = textsOf(config['Labels'])
  return dockerDescribed(textOr(state['Name']), textOr(config['Image']), labels)
}

/** @param name as Docker has it, with a slash before it */
export function dockerDescribed(name: string, image: string, labels: Record<string, string>): Described {
  const own = name.replace(/^\//, '')
  const kubernetes = describe(labels)
  return merge(kubernetes, {
    runtime: 'docker',
    ...(own && !kubernetes.sandbox && { name: own }),
    ...(image && { image }),
    labels,
  })
}
