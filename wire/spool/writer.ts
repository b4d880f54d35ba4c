/** Appends to the segments of this process, in a run that is made when the first record comes. */

import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Mark } from './mark.ts'
import { type Before, encodeRecord } from './record.ts'
import { makeRun, type OwnRun, syncDirectory } from './runs.ts'
import { Segment } from './segment.ts'
import type { Entry } from './table.ts'
import type { Item } from './types.ts'

const { O_CREAT, O_EXCL, O_RDWR } = constants
const START: Before = { records: 0, windows: 0, rows: 0 }

interface Current {
  readonly segment: Segment
  readonly handle: FileHandle
  readonly since: number
}

/** What was written, to be added to its segment. */
export interface Written {
  readonly run: { readonly path: string; readonly mark: Mark }
  readonly segment: Segment
  readonly entries: readonly Entry[]
}

export class Writer {
  readonly #root: string
  readonly #segmentBytes: number
  readonly #segmentMs: number
  readonly #steady: () => number
  #run: (OwnRun & { readonly mark: Mark }) | undefined
  #current: Current | undefined
  #number = 0
  #before = START

  /**
   * @param segmentBytes after which a segment is ended, and after how many milliseconds
   * @param steady milliseconds that only rise
   */
  constructor(root: string, segmentBytes: number, segmentMs: number, steady: () => number) {
    this.#root = root
    this.#segmentBytes = segmentBytes
    this.#segmentMs = segmentMs
    this.#steady = steady
  }

  /** The segment that the next records go to. */
  get segment(): Segment | undefined {
    return this.#current?.segment
  }

  /** The directory of its run, when it has one. */
  get path(): string | undefined {
    return this.#run?.path
  }

  /** All that was appended. */
  get end(): Before {
    return this.#before
  }

  /** The directory of the run; made when it is not there. */
  async run(): Promise<string> {
    if (this.#run) return this.#run.path
    const run = await makeRun(this.#root)
    this.#run = { ...run, mark: new Mark(run.path) }
    this.#before = START
    await syncDirectory(this.#root)
    return run.path
  }

  /**
   * @param released of the records of this run
   * @throws {Error} of the file system; nothing was written
   */
  async append(items: readonly Item[], released: number, time: number): Promise<Written> {
    const { segment, handle } = await this.#segment()
    let [before, offset] = [this.#before, segment.size]
    const buffers: Buffer[] = []
    const entries = items.map((item): Entry => {
      const encoded = encodeRecord(segment.salt, item, { before, released, time })
      const { windows, rows } = item
      const entry = { offset, bytes: encoded.bytes, windows, rows, before, time }
      buffers.push(...encoded.buffers)
      offset += encoded.bytes
      const [allWindows, allRows] = [before.windows + windows, before.rows + rows]
      before = { records: before.records + 1, windows: allWindows, rows: allRows }
      return entry
    })
    try {
      await writeAll(handle, buffers, segment.size)
      await handle.datasync()
    } catch (error) {
      await handle.truncate(segment.size).catch(() => this.endSegment())
      throw error
    }
    segment.size = offset
    this.#before = before
    return { run: this.#run!, segment, entries }
  }

  /** Ends the segment: the next records go to another one. */
  async endSegment(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    await current?.handle.close().catch(() => {})
  }

  /** Nobody owns the run any more. */
  async leave(): Promise<void> {
    await this.endSegment()
    const run = this.#run
    this.#run = undefined
    await run?.mark.close()
    await run?.leave().catch(() => {})
  }

  /** Whether the segment was removed behind our back. */
  async isGone(): Promise<boolean> {
    const current = this.#current
    if (!current) return this.#run !== undefined && !(await exists(this.#run.path))
    const [named, held] = await Promise.all([
      stat(current.segment.path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
        throw error
      }),
      current.handle.stat(),
    ])
    return named?.ino !== held.ino || named.dev !== held.dev
  }

  async #segment(): Promise<Current> {
    const current = this.#current
    const now = this.#steady()
    if (current && current.segment.size < this.#segmentBytes && now - current.since < this.#segmentMs)
      return current
    await this.endSegment()
    const segment = Segment.create(await this.run(), ++this.#number)
    const handle = await open(segment.path, O_CREAT | O_EXCL | O_RDWR, 0o600)
    const opened = { segment, handle, since: now }
    this.#current = opened
    await syncDirectory(dirname(segment.path))
    return opened
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function writeAll(handle: FileHandle, buffers: readonly Buffer[], position: number): Promise<void> {
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  let { bytesWritten } = await handle.writev([...buffers], position)
  if (bytesWritten === length) return
  // the rest once more: the error says why it was short
  const all = Buffer.concat(buffers)
  while (bytesWritten < length)
    bytesWritten += (await handle.write(all, bytesWritten, length - bytesWritten, position + bytesWritten))
      .bytesWritten
}
