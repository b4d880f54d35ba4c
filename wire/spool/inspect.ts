/** What is in a spool, read from its directory, whether a program uses it or not. Nothing is changed. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { loadRun } from './load.ts'
import { isOwned } from './owner.ts'

export interface Contents {
  /** Of all files. */
  readonly bytes: number
  readonly records: number
  readonly windows: number
  readonly rows: number
  /** What cannot be read. */
  readonly damaged: number
  /** When the oldest and the newest record was appended, milliseconds since the epoch. */
  readonly oldest: number | undefined
  readonly newest: number | undefined
  /** A program uses it now: what it has just released may be counted. */
  readonly isUsed: boolean
  /** Of each host that the heads of the records name. */
  readonly hosts: Readonly<Record<string, { readonly records: number; readonly rows: number }>>
}

const RUN = /^\d{8}-[0-9a-f]{8}$/

/** @throws {Error} when the directory cannot be read */
export async function inspect(directory: string): Promise<Contents> {
  const found = { bytes: 0, records: 0, windows: 0, rows: 0, damaged: 0, isUsed: false }
  const hosts = new Map<string, { records: number; rows: number }>()
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const path of await runsBelow(directory)) {
    const { segments, damaged } = await loadRun(path, ({ header, head }) => {
      found.records++
      found.windows += header.windows
      found.rows += header.rows
      oldest = Math.min(oldest, header.time)
      newest = Math.max(newest, header.time)
      const { host } = (head ?? {}) as { host?: unknown }
      const name = typeof host === 'string' ? host : ''
      const { records = 0, rows = 0 } = hosts.get(name) ?? {}
      hosts.set(name, { records: records + 1, rows: rows + header.rows })
    })
    found.isUsed ||= await isOwned(path).catch(() => true)
    found.damaged += damaged.records
    for (const { path } of segments)
      found.bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      )
  }
  const isEmpty = found.records === 0
  return {
    ...found,
    oldest: isEmpty ? undefined : oldest,
    newest: isEmpty ? undefined : newest,
    hosts: Object.fromEntries(hosts),
  }
}

/** A run, and those that it has taken over. */
async function runsBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const runs = entries.filter(entry => entry.isDirectory() && RUN.test(entry.name))
  const paths = runs.map(({ name }) => join(directory, name)).sort()
  const inner = await Promise.all(paths.map(path => runsBelow(path).catch(() => [])))
  return paths.flatMap((path, at) => [...inner[at]!, path])
}
