/**
 * Facts from a directory of manifests, read again when a file changes. A file that cannot be read is named, and what it said
 * before stays; the others are read all the same.
 */

import { readForeign } from '../../../wire/process/foreign.ts'
import { every } from '../../../wire/process/guarded.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import type { Receiver } from '../held/held.ts'
import { keyOf } from '../held/keep.ts'
import { KIND_NAMES } from '../kinds.ts'
import type { Source } from '../source.ts'
import { type Found, objectsIn } from './documents.ts'
import { byPath, EXTENSIONS, type FileState, type Listing, listFiles } from './files.ts'

/** YAML is read at some 3 MB a second, and nothing else runs meanwhile; JSON at fifty times that. */
const MAX_YAML_BYTES = 16 * 2 ** 20
const MAX_JSON_BYTES = 256 * 2 ** 20
export const LOOK_MS = 2000

/** A file is written in pieces: one that was read before is read again when it has been left alone for so long. */
const SETTLED_MS = 1000

interface Read {
  readonly path: string
  /** undefined: it could not be read, and is tried again each time. */
  readonly state: string | undefined
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
    if ([...this.#files.values()].every(({ found }) => found.length === 0))
      this.#log.warn(
        'cluster_empty',
        `${this.name} has no ${KIND_NAMES.join(', ')} in its files (${[...EXTENSIONS].join(', ')}); no names are known until it has`,
      )
    this.#timer = every(this.#everyMs, 'cluster_directory', this.#log, () => this.#look(into))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
  }

  #look(into: Receiver): void {
    const listing = this.#listing()
    if (!listing) return
    const { files, faults, isCut } = listing
    if (isCut)
      this.#log.warn(
        'cluster_files',
        `${this.name} has more files, or is deeper, than is read: some are left out`,
      )
    for (const { path, code } of faults) this.#fault(path, code)
    let isChanged = false
    const paths = new Set(files.map(({ path }) => path))
    const isAway = (path: string) => faults.some(({ path: at }) => path === at || path.startsWith(`${at}/`))
    for (const path of this.#files.keys())
      if (!paths.has(path) && !isAway(path)) isChanged = this.#files.delete(path)
    for (const file of files) isChanged = this.#readAnew(file) || isChanged
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

  #fault(path: string, why: string): void {
    this.unreadable++
    const kept = this.#files.get(path)?.found.length
      ? 'what it said before is kept'
      : 'the other files are read'
    this.#log.warn('cluster_file', `${path} cannot be used (${why}); ${kept}`, path)
  }

  /** @returns whether it says something else than before */
  #readAnew({ path, state, bytes, changed }: FileState): boolean {
    const before = this.#files.get(path)
    if (before?.state === state) return false
    const age = Date.now() - changed
    if (before?.found.length && age >= 0 && age < SETTLED_MS) return false
    try {
      this.#files.set(path, { path, state, found: foundIn(path, bytes) })
      return true
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      // what the file says is wrong until it changes; what the system says may be over with the next look
      this.#files.set(path, {
        path,
        state: code === undefined ? state : undefined,
        found: before?.found ?? [],
      })
      this.#fault(path, code ?? message)
      return false
    }
  }

  /** Of two files that have the same object, the later by name counts. */
  #tell(into: Receiver): void {
    const now = Date.now()
    const files = [...this.#files.values()].toSorted(byPath)
    for (const kind of KIND_NAMES) {
      const all = new Map<string, Found>()
      for (const one of files.flatMap(({ found }) => found))
        if (one.kind === kind) all.set(keyOf(one.known.namespace, one.known.name), one)
      into.beginList(kind)
      for (const { known } of all.values()) into.put(kind, known, now)
      into.endList(kind, now)
    }
  }
}

function foundIn(path: string, bytes: number): Found[] {
  const isJson = path.toLowerCase().endsWith('.json')
  const most = isJson ? MAX_JSON_BYTES : MAX_YAML_BYTES
  if (bytes > most)
    throw new Error(
      `it has more than ${most / 2 ** 20} MB${isJson ? '' : ': write it as JSON, or several files'}`,
    )
  return objectsIn(readForeign(path, most), isJson)
}
