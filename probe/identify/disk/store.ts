/**
 * Names in a store of github.com/containers/storage, which podman and CRI-O share: `containers.json`, and for containers
 * that do not outlive a restart (`podman run --rm`) `volatile-containers.json`, in `<store>/<driver>-containers/`.
 */

import { join } from 'node:path'
import type { Described } from '../source.ts'
import { changeOf, elements, isRecord, present, readJson, textOr } from './files.ts'

const FILES = ['containers.json', 'volatile-containers.json']
/** Files remembered: two for each user who runs containers. */
const MOST_FILES = 256

interface Listed {
  readonly changed: number
  readonly containers: ReadonlyMap<string, Described>
}

export class Store {
  readonly #files = new Map<string, Listed>()

  /** @param directory `<store>/<driver>-containers` */
  find(directory: string, id: string): Described | undefined {
    return FILES.map(file => this.#read(join(directory, file)).get(id)).find(Boolean)
  }

  #read(path: string): Listed['containers'] {
    const changed = changeOf(path)
    const known = this.#files.get(path)
    if (known?.changed === changed) return known.containers
    const containers = new Map<string, Described>()
    for (const container of elements(readJson(path)))
      if (isRecord(container)) containers.set(textOr(container['id']), described(container))
    if (this.#files.size >= MOST_FILES) this.#files.clear()
    this.#files.set(path, { changed, containers })
    return containers
  }
}

function described(container: Readonly<Record<string, unknown>>): Described {
  const name = textOr(elements(container['names'])[0])
  const metadata: unknown = present(() => JSON.parse(textOr(container['metadata'])))
  const image = textOr(isRecord(metadata) ? metadata['image-name'] : '')
  return { ...(name && { name }), ...(image && { image }) }
}
