/** Names of Docker's containers, from `<data root>/containers/<id>/config.v2.json` (moby, container/container.go). */

import { join } from 'node:path'
import { type Described, merge, type Source } from '../source.ts'
import { describe } from './annotations.ts'
import { isRecord, member, readJson, textOr, textsOf } from './files.ts'

export class DockerState implements Source {
  readonly #roots: readonly string[]

  /** @param roots data roots, for example `/var/lib/docker` */
  constructor(roots: readonly string[]) {
    this.#roots = roots
  }

  find(id: string): Described | undefined {
    if (id.includes('/')) return undefined
    for (const root of this.#roots) {
      const state = readJson(join(root, 'containers', id, 'config.v2.json'))
      if (isRecord(state)) return described(state)
    }
    return undefined
  }

  /** Its bundles tell. */
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
