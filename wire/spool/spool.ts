/**
 * What waits, on disk: append-only segments with checksums, bounded by bytes and by age. It survives SIGKILL and power
 * loss at any byte: a torn tail is cut, a damaged record is skipped, both are counted.
 *
 * One directory is one queue. Below it each process has a directory of its own, its run, so that two processes with
 * one spool do not disturb each other. What runs left whose process has ended is taken over at the start.
 */

import { access, constants, open, rm, stat } from 'node:fs/promises'
import { ownDirectory } from './directory.ts'
import { spoolError } from './errors.ts'
import { type Left, loadRun } from './load.ts'
import { Mark, NOTHING } from './mark.ts'
import { HEADER_BYTES } from './record.ts'
import { hasEndedRuns, takeOver } from './runs.ts'
import type { Segment } from './segment.ts'
import { Shelf, type ShelfRun } from './shelf.ts'
import type { Item, Spool, SpoolAmount, SpoolLoss, SpoolOptions, SpoolRecord, SpoolStats } from './types.ts'
import { Writer } from './writer.ts'

/** Parts of the bounds: so much is dropped at once. */
const SEGMENTS = 32
const MAX_SEGMENT_BYTES = 2 ** 24
/** A segment in which nothing waits is kept for so long, for the next record. */
const IDLE_MS = 60_000
/** Of a record, beside its frames. */
const OVERHEAD_BYTES = 1024
/** The file, or a part of it, is not there any more; other errors may pass. */
const DAMAGE = new Set(['ENOENT', 'ENOTDIR', 'EIO', 'EISDIR'])
const GONE = new Set(['ENOENT', 'ENOTDIR'])

/**
 * @throws {Error} when the directory cannot be made or written: what, where, remedy. Whoever wants the spool as soon as
 *   that is mended calls it again
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const spool = new FileSpool(options)
  try {
    await spool.open()
  } catch (error) {
    await spool.close()
    throw spoolError('use the spool', options.directory, error)
  }
  return spool
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)

class FileSpool implements Spool {
  readonly #options: SpoolOptions
  readonly #now: () => number
  readonly #steady: () => number
  readonly #shelf = new Shelf()
  readonly #writer: Writer
  /** The run of this process, once it has a segment. */
  #own: ShelfRun | undefined
  #failures = 0
  readonly #losses: Record<SpoolLoss, { records: number; windows: number; rows: number }> = {
    size: { records: 0, windows: 0, rows: 0 },
    age: { records: 0, windows: 0, rows: 0 },
    damaged: { records: 0, windows: 0, rows: 0 },
  }
  /** What changes files is done one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#steady = options.steady ?? (() => performance.now())
    const bytes = Math.min(MAX_SEGMENT_BYTES, options.maxBytes / SEGMENTS)
    this.#writer = new Writer(options.directory, bytes, options.maxAgeMs / SEGMENTS, this.#steady)
  }

  get stats(): SpoolStats {
    const { records, windows, rows, bytes, oldest } = this.#shelf
    return { records, windows, rows, bytes, oldest: oldest?.time, failures: this.#failures }
  }

  get losses(): Readonly<Record<SpoolLoss, SpoolAmount>> {
    return this.#losses
  }

  get oldest(): number | undefined {
    return this.#shelf.oldest?.serial
  }

  after(serial: number): number | undefined {
    return this.#shelf.after(serial)
  }

  async open(): Promise<void> {
    const { directory } = this.#options
    ownDirectory(directory)
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    if (!this.#options.found || !(await hasEndedRuns(directory))) return
    for (const path of await takeOver(directory, await this.#writer.run()))
      await this.#load(path).catch(() => this.#failures++) // it is tried again at the next start
    this.expire()
    this.#makeRoom(0)
  }

  async #load(path: string): Promise<void> {
    const mark = new Mark(path)
    const run: ShelfRun = { path, mark, end: NOTHING, segments: [] }
    const found = ({ segment, offset, header, head }: Left) => {
      const { windows, rows, before, time } = header
      const bytes = HEADER_BYTES + header.length
      const at = this.#steady() - Math.max(0, this.#now() - time)
      const serial = this.#shelf.add(segment, { offset, bytes, windows, rows, before, time }, at)
      this.#options.found?.({ serial, head, time, bytes, windows, rows })
    }
    const left = await loadRun(path, found, segment => this.#shelf.put(run, segment))
    mark.written = left.mark
    run.end = left.end
    this.#count('damaged', left.damaged)
    for (const segment of left.segments) if (segment.waiting === 0) this.#free(segment)
    if (left.segments.length === 0) await rm(path, { recursive: true, force: true }).catch(() => {})
  }

  append(items: readonly Item[]): Promise<number[]> {
    return this.#next(async () => {
      try {
        if (await this.#writer.isGone()) await this.#begin()
        const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0)
        this.#makeRoom(bytes)
        return await this.#append(items)
      } catch (error) {
        this.#failures++
        throw spoolError('write to the spool', this.#options.directory, error)
      }
    })
  }

  async #append(items: readonly Item[]): Promise<number[]> {
    const released = this.#own ? this.#shelf.mark(this.#own).records : 0
    const { segment, entries, run } = await this.#writer.append(items, released, this.#now())
    this.#own ??= { ...run, end: this.#writer.end, segments: [] }
    this.#own.end = this.#writer.end
    if (!this.#own.segments.includes(segment)) {
      const before = this.#own.segments.filter(({ waiting }) => waiting === 0)
      this.#shelf.put(this.#own, segment)
      for (const ended of before) this.#free(ended)
    }
    const at = this.#steady()
    return entries.map(entry => this.#shelf.add(segment, entry, at))
  }

  async read(serial: number): Promise<SpoolRecord | undefined> {
    const segment = this.#shelf.find(serial)
    if (!segment?.get(serial)) return undefined
    try {
      const handle = await open(segment.path)
      try {
        const record = await segment.read(handle, serial)
        if (!record) this.#drop(segment, [serial], 'damaged')
        return record
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (!DAMAGE.has(codeOf(error))) throw spoolError('read the spool', segment.path, error)
      this.#drop(segment, GONE.has(codeOf(error)) ? segment.serials : [serial], 'damaged')
      return undefined
    }
  }

  release(serials: Iterable<number>): void {
    const segments = new Set<Segment>()
    for (const serial of serials) {
      const segment = this.#shelf.find(serial)
      if (segment && this.#shelf.remove(segment, serial)) segments.add(segment)
    }
    this.#settle(segments)
  }

  expire(): void {
    const now = this.#steady()
    for (const segment of this.#shelf.segments) {
      if (now - segment.newest > this.#options.maxAgeMs) this.#drop(segment, segment.serials, 'age')
      const isIdle = segment.waiting === 0 && now - segment.newest > IDLE_MS
      if (isIdle && segment === this.#writer.segment) this.#end(segment)
    }
  }

  async close(): Promise<void> {
    await this.#next(async () => {
      const { directory } = this.#options
      const isEmpty = this.#shelf.records === 0
      const path = this.#writer.path
      await Promise.all(this.#shelf.runs.filter(run => run !== this.#own).map(({ mark }) => mark.close()))
      await this.#writer.leave()
      if (isEmpty && path?.startsWith(directory))
        await rm(path, { recursive: true, force: true }).catch(() => {})
    })
  }

  #next<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#last.then(action)
    this.#last = done.catch(() => {})
    return done
  }

  /** Somebody removed our directory: what was there is lost, and we make another. */
  async #begin(): Promise<void> {
    for (const segment of this.#shelf.segments)
      if (await isMissing(segment.path)) this.#drop(segment, segment.serials, 'damaged')
    await this.#writer.leave()
    this.#own = undefined
  }

  #makeRoom(bytes: number): void {
    const { maxBytes } = this.#options
    if (bytes > maxBytes)
      throw new RangeError(`${bytes} bytes at once are more than the ${maxBytes} that it may have`)
    for (const segment of this.#shelf.segments) {
      if (this.#shelf.bytes + bytes <= maxBytes) break
      this.#drop(segment, segment.serials, 'size')
      if (segment === this.#writer.segment) this.#end(segment)
    }
  }

  #drop(segment: Segment, serials: readonly number[], reason: SpoolLoss): void {
    const sum = { records: 0, windows: 0, rows: 0 }
    const gone = serials.filter(serial => {
      const entry = this.#shelf.remove(segment, serial)
      if (entry) add(sum, { ...entry, records: 1 })
      return entry
    })
    this.#count(reason, sum)
    this.#settle(new Set([segment]))
    if (gone.length > 0) this.#options.dropped?.(gone, reason, sum)
  }

  #count(reason: SpoolLoss, amount: SpoolAmount): void {
    add(this.#losses[reason], amount)
  }

  /** Records of these segments are done. */
  #settle(segments: ReadonlySet<Segment>): void {
    for (const run of new Set([...segments].map(segment => this.#shelf.runOf(segment))))
      if (run) this.#shelf.mark(run)
    for (const segment of segments)
      if (segment.waiting === 0 && segment !== this.#writer.segment) this.#free(segment)
  }

  /** The segment is written no more, and nothing waits in it. */
  #end(segment: Segment): void {
    const ended = this.#writer.endSegment()
    this.#free(segment, ended)
  }

  /** The mark is on disk before the file is removed: else its records would be missed after a power cut. */
  #free(segment: Segment, ended: Promise<void> = Promise.resolve()): void {
    const run = this.#shelf.runOf(segment)
    if (!run) return
    this.#shelf.mark(run)
    const emptied = this.#shelf.forget(segment)
    void this.#next(async () => {
      await ended
      await run.mark.flush()
      await rm(segment.path, { force: true }).catch(() => {})
      if (!emptied || emptied === this.#own) return
      await run.mark.close()
      await rm(run.path, { recursive: true, force: true }).catch(() => {})
    })
  }
}

function add(
  sum: { records: number; windows: number; rows: number },
  { records, windows, rows }: SpoolAmount,
): void {
  sum.records += records
  sum.windows += windows
  sum.rows += rows
}

const bytesOf = ({ frames }: Item): number =>
  frames.reduce((sum, frame) => sum + frame.length + 4, OVERHEAD_BYTES)

const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    error => GONE.has(codeOf(error)),
  )
