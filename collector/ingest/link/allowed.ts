/**
 * Which keys may speak for which hosts: lines `host key` in a file, or in all files of a directory. A host may have several keys, so that
 * a new one counts before the old one is withdrawn; a key may be listed with several hosts. What changes on disk counts within a
 * second.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readListed } from '../../../wire/link/key_files.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'

const LOOK_MS = 1000
const MAX_FILES = 10_000

/** By key. */
type Hosts = ReadonlyMap<string, ReadonlySet<string>>

export class Allowed {
  readonly path: string
  readonly #log: ThrottledLog
  readonly #now: () => number
  #hosts: Hosts = new Map()
  /** Hosts that have a key. */
  #bound: ReadonlySet<string> = new Set()
  #signature: string
  #lookedAt: number

  /**
   * @param path need not exist: then nobody is allowed
   * @param now milliseconds that only rise
   * @throws with the file and line that are wrong
   */
  constructor(path: string, log: ThrottledLog, now: () => number = () => performance.now()) {
    this.path = path
    this.#log = log
    this.#now = now
    this.#signature = signatureOf(path)
    this.#lookedAt = now()
    this.#read()
  }

  /** Keys. */
  get size(): number {
    this.#look()
    return this.#hosts.size
  }

  /** @returns undefined for a key that is not listed */
  hostsOf(key: string): ReadonlySet<string> | undefined {
    this.#look()
    return this.#hosts.get(key)
  }

  /** Whether the host has a key, and so speaks with it alone. */
  isBound(host: string): boolean {
    this.#look()
    return this.#bound.has(host)
  }

  /** Reads the list again now. One that is wrong does not count: the last one that was right does. */
  reload(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY
    this.#signature = ''
    this.#look()
  }

  #look(): void {
    if (this.#now() - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = this.#now()
    try {
      const signature = signatureOf(this.path)
      if (signature === this.#signature) return
      this.#signature = signature
      this.#read()
    } catch (error) {
      this.#signature = ''
      this.#log.warn('keys', `${(error as Error).message}; the list of keys as it was before counts on`)
    }
  }

  #read(): void {
    const hosts = new Map<string, Set<string>>()
    for (const file of filesOf(this.path))
      for (const { host, key } of readListed(file))
        hosts.set(key, (hosts.get(key) ?? new Set<string>()).add(host))
    this.#hosts = hosts
    this.#bound = new Set([...hosts.values()].flatMap(all => [...all]))
  }
}

/** @throws when there are too many */
function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return [path]
  const names = readdirSync(path).filter(name => !name.startsWith('.') && !name.endsWith('~'))
  if (names.length > MAX_FILES)
    throw new Error(`${path} has ${names.length} files: ${MAX_FILES} are the most`)
  return names.sort().map(name => join(path, name))
}

/** Changes whenever a file does. */
const signatureOf = (path: string): string =>
  filesOf(path)
    .map(file => {
      const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
      return stat ? `${file} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : file
    })
    .join('\n')
