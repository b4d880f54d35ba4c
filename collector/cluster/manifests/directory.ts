/**
 * Facts from a directory of manifests, read again when a file changes. A file that cannot be read is named, and what it said
 * before stays; the others are read all the same.
 */

import { readForeign } from '../../../wire/process/foreign.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import type { Receiver } from '../held/held.ts'
import { KIND_NAMES } from '../kinds.ts'
import type { Source } from '../source.ts'
import { type Found, objectsIn } from './documents.ts'
import { type FileState, type Listing, listFiles } from './files.ts'

/** YAML is read at some 3 MB a second, and nothing else runs meanwhile; JSON at fifty times that. */
const MAX_YAML_BYTES = 16 * 2 ** 20
const MAX_JSON_BYTES = 256 * 2 ** 20
export const LOOK_MS = 2000

interface Read {
  readonly state: string
  readonly found: readonly Found[]
}

export class Directory implements Source {
  readonly name: string
  readonly unanswered = 0
  /** Attempts at files that failed. */
  unreadable = 0
  readonly #log: Pick<ThrottledLog, 'warn'>
  readonly #everyMs: number
  readonly #files = new Map<string, Read>()
  #timer: NodeJS.Timeout | undefined

  constructor(path: string, log: Pick<ThrottledLog, 'warn'>, everyMs = LOOK_MS) {
    this.name = path
    this.#log = log
    this.#everyMs = everyMs
  }

  async start(into: Receiver): Promise<void> {
    this.#look(into)
    this.#timer = setInterval(() => this.#look(into), this.#everyMs)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
  }

  #look(into: Receiver): void {
    const listing = this.#listing()
    if (!listing) return
    if (listing.isCut)
      this.#log.warn(
        'cluster_files',
        `${this.name} has more files, or is deeper, than is read: some are left out`,
      )
    let isChanged = false
    const paths = new Set(listing.files.map(({ path }) => path))
    for (const path of this.#files.keys()) if (!paths.has(path)) isChanged = this.#files.delete(path)
    for (const file of listing.files) isChanged = this.#readAnew(file) || isChanged
    if (isChanged) this.#tell(into)
  }

  #listing(): Listing | undefined {
    try {
      return listFiles(this.name)
    } catch (error) {
      this.unreadable++
      this.#log.warn(
        'cluster_directory',
        `the directory ${this.name} cannot be read (${(error as NodeJS.ErrnoException).code}); what was read before is kept, next try in ${this.#everyMs / 1000} s`,
      )
      return undefined
    }
  }

  /** @returns whether it says something else than before */
  #readAnew({ path, state, bytes }: FileState): boolean {
    const before = this.#files.get(path)
    if (before?.state === state) return false
    try {
      this.#files.set(path, { state, found: objectsOf(path, bytes) })
      return true
    } catch (error) {
      this.unreadable++
      // it is not read again before it changes
      this.#files.set(path, { state, found: before?.found ?? [] })
      const kept = before ? 'what it said before is kept' : 'the other files are read'
      this.#log.warn('cluster_file', `${path} cannot be used (${(error as Error).message}); ${kept}`, path)
      return false
    }
  }

  /** Of two files that have the same object, the later by name counts. */
  #tell(into: Receiver): void {
    const now = Date.now()
    const all = [...this.#files.values()].flatMap(({ found }) => found)
    for (const kind of KIND_NAMES) {
      into.beginList(kind)
      for (const { known } of all.filter(one => one.kind === kind)) into.put(kind, known, now)
      into.endList(kind, now)
    }
  }
}

function objectsOf(path: string, bytes: number): Found[] {
  const isJson = path.endsWith('.json')
  const most = isJson ? MAX_JSON_BYTES : MAX_YAML_BYTES
  if (bytes > most)
    throw new Error(
      `it has more than ${most / 2 ** 20} MB${isJson ? '' : ': write it as JSON, or several files'}`,
    )
  return objectsIn(readForeign(path, most), isJson)
}
