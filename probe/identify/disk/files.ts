/**
 * Reads files of other programs without trust: a missing file is normal, a file that is too large is ignored, and what
 * could block (a pipe, a socket) is not read. Unprivileged users own some of these directories.
 */

import { opendirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readForeign } from '../../../wire/process/foreign.ts'

/** State of a container is some 10 KB; a list of all containers of a user may be longer. */
const MAX_BYTES = 4 * 2 ** 20
const MAX_ENTRIES = 16_384

/** A file or directory that does not exist, or not any more, is normal. */
export function present<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The names in a directory. */
export function list(path: string): string[] {
  const directory = present(() => opendirSync(path, { bufferSize: 256 }))
  const names: string[] = []
  if (!directory) return names
  try {
    for (let entry = directory.readSync(); entry && names.length < MAX_ENTRIES; entry = directory.readSync())
      names.push(entry.name)
  } catch {
    // it goes away while we read it
  } finally {
    directory.closeSync()
  }
  return names
}

/** Paths that a pattern names; `*` stands for one whole directory name. */
export function expand(pattern: string): string[] {
  const [start, ...parts] = pattern.split('/*')
  let paths = [start ?? '']
  for (const part of parts) paths = paths.flatMap(path => list(path).map(name => join(path, name) + part))
  return paths
}

export function readText(path: string): string | undefined {
  return present(() => readForeign(path, MAX_BYTES))
}

/** A file system's clock ticks every few milliseconds: what changed just now may change again without a trace. */
const SETTLED_MS = 100

/** When a file or directory changed last: equal means unchanged. 0 where there is none, NaN while it is changing. */
export function changeOf(path: string): number {
  const changed = present(() => statSync(path, { throwIfNoEntry: false })?.mtimeMs) ?? 0
  return Date.now() - changed < SETTLED_MS ? Number.NaN : changed
}

export type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A JSON object's member that is one, or else an empty one: what is read next from it is undefined. */
export const member = (value: unknown, name: string): Json => {
  const found = isRecord(value) ? value[name] : undefined
  return isRecord(found) ? found : {}
}

export const textOr = (value: unknown): string => (typeof value === 'string' ? value : '')

export const elements = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** The texts of a JSON object: labels, annotations. */
export const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )

export function readJson(path: string): unknown {
  const text = readText(path)
  return text === undefined ? undefined : present(() => JSON.parse(text))
}
