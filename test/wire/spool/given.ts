import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openSpool } from '../../../wire/spool/spool.ts'
import type { Found, Item, Spool, SpoolOptions, SpoolRecord } from '../../../wire/spool/types.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'

export async function directory(t: Test): Promise<string> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  return scratch(cleanup, 'spool')
}

/** The window of this number: its rows are ten times as many, its frames are its own. */
export const windowItem = (number: number, bytes = 100): Item => ({
  head: { number },
  frames: [Buffer.alloc(bytes, number), Buffer.alloc(0), Buffer.from(`window ${number}`)],
  windows: 1,
  rows: 10 * number,
})

export interface Opened {
  readonly spool: Spool
  readonly found: Found[]
  readonly dropped: (readonly [readonly number[], string])[]
}

/** A spool with room for much, unless options say otherwise. */
export async function opened(path: string, options: Partial<SpoolOptions> = {}): Promise<Opened> {
  const found: Found[] = []
  const dropped: [readonly number[], string][] = []
  const spool = await openSpool({
    ...{ directory: path, maxBytes: 2 ** 20, maxAgeMs: 3_600_000 },
    found: record => found.push(record),
    dropped: (serials, reason) => dropped.push([serials, reason]),
    ...options,
  })
  return { spool, found, dropped }
}

export const numberOf = ({ head }: Found): number => (head as { number: number }).number

/** All that waits, from disk. */
export async function readAll(spool: Spool): Promise<SpoolRecord[]> {
  const records: SpoolRecord[] = []
  for (let serial = spool.oldest; serial !== undefined; serial = spool.after(serial)) {
    const record = await spool.read(serial)
    if (record) records.push(record)
  }
  return records
}

/** Files below, of all runs, by the end of their names. */
export const filesIn = (path: string, end = ''): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith(end))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
