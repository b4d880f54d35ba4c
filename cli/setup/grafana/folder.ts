/** A folder of files that we write and others may change: what is ours, by the digests of what we wrote last. */

import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { makeDirectory } from '../../../collector/directory.ts'

/** Beside the folders that Grafana reads; it reads no files there. */
const MANIFEST = '.sockflux.json'
/** Paths that Grafana reads: what else a damaged manifest may name is never removed. */
const PATH = /^(datasources|dashboards|alerting)(\/[\w-][\w.-]*)+$/
const manifest = z.object({ files: z.record(z.string(), z.string()) })

export interface Change {
  readonly path: string
  readonly what: 'write' | 'replace' | 'remove'
}

export interface Changes {
  readonly changes: readonly Change[]
  /** Files in the way that are not ours, or are not as we wrote them. */
  readonly foreign: readonly string[]
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** @throws if a file cannot be read */
export function compare(folder: string, wanted: ReadonlyMap<string, string>): Changes {
  const ours = written(folder)
  const foreign: string[] = []
  const changes: Change[] = []
  const look = (path: string, text: string | undefined) => {
    const present = contentOf(join(folder, path))
    if (present === text) return
    const isOurs = typeof present === 'string' && ours.get(path) === digest(present)
    if (present !== undefined && !isOurs) foreign.push(path)
    changes.push({ path, what: present === undefined ? 'write' : text === undefined ? 'remove' : 'replace' })
  }
  for (const [path, text] of wanted) look(path, text)
  for (const path of ours.keys()) if (!wanted.has(path)) look(path, undefined)
  return { changes, foreign }
}

/** What is removed is removed only if it is as we wrote it. @throws with the path; nothing was written if it is a directory */
export function apply(
  folder: string,
  wanted: ReadonlyMap<string, string>,
  { changes, foreign }: Changes,
): void {
  for (const { path } of changes) if (wanted.has(path)) refuseDirectory(join(folder, path))
  for (const { path, what } of changes) {
    const text = wanted.get(path)
    if (text !== undefined) write(join(folder, path), text)
    else if (what === 'remove' && !foreign.includes(path)) rmSync(join(folder, path), { force: true })
  }
  const files = Object.fromEntries([...wanted].map(([path, text]) => [path, digest(text)]))
  const text = `${JSON.stringify({ files }, undefined, 2)}\n`
  if (contentOf(join(folder, MANIFEST)) !== text) write(join(folder, MANIFEST), text)
}

/** A file or a link is replaced; what is in a directory is never removed. */
function refuseDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${path} is a directory where a file is to be: move it away`)
}

/** Without a manifest, or with a damaged one, no file is ours. */
function written(folder: string): Map<string, string> {
  const text = contentOf(join(folder, MANIFEST))
  try {
    const { files } = manifest.parse(JSON.parse(typeof text === 'string' ? text : '{}'))
    return new Map(Object.entries(files).filter(([path]) => PATH.test(path)))
  } catch {
    return new Map()
  }
}

/** @returns undefined if there is nothing, null for what is no file: a link, a directory */
function contentOf(path: string): string | null | undefined {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new Error(`cannot read ${path} (${code}): correct the folder or its permissions`)
  }
}

/** Whole, or not at all: Grafana may read at any time. */
function write(path: string, text: string): void {
  const fresh = `${path}.${randomBytes(4).toString('hex')}.new`
  makeDirectory(dirname(path), 'folder')
  try {
    writeFileSync(fresh, text, { flag: 'wx', mode: 0o644 })
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`cannot write ${path} (${code}): correct the folder or its permissions`)
  }
}
