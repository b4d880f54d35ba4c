/**
 * Names in a store of github.com/containers/storage, which podman and CRI-O share: `containers.json`, and for containers
 * that do not outlive a restart (`podman run --rm`) `volatile-containers.json`, in `<store>/<driver>-containers/`.
 */

import { join } from 'node:path'
import type { Described } from '../source.ts'
import { elements, isRecord, present, readJson, textOr } from './files.ts'
import { Kept } from './kept.ts'

const FILES = ['containers.json', 'volatile-containers.json']
/** Files remembered: two for each user who runs containers. */
const MAX_FILES = 256

export class Store {
  readonly #files = new Kept(MAX_FILES, containersIn)

  /** @param directory `<store>/<driver>-containers` */
  find(directory: string, id: string): Described | undefined {
    return FILES.map(file => this.#files.get(join(directory, file)).get(id)).find(Boolean)
  }
}

function containersIn(path: string): ReadonlyMap<string, Described> {
  const containers = elements(readJson(path)).filter(isRecord)
  return new Map(containers.map(container => [textOr(container['id']), described(container)]))
}

function described(container: Readonly<Record<string, unknown>>): Described {
  const name = textOr(elements(container['names'])[0])
  const metadata: unknown = present(() => JSON.parse(textOr(container['metadata'])))
  const image = textOr(isRecord(metadata) ? metadata['image-name'] : '')
  return { ...(name && { name }), ...(image && { image }) }
}
