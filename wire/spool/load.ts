/** Finds what a run has left: reads all of it once, and tells what is missing. */

import { open, readdir } from 'node:fs/promises'
import { readMark } from './mark.ts'
import { type Before, decodeHead, type Header } from './record.ts'
import { scan } from './scan.ts'
import { Segment } from './segment.ts'

/** A record that waits. */
export interface Left {
  readonly segment: Segment
  readonly offset: number
  readonly header: Header
  readonly head: unknown
}

export interface LeftRun {
  readonly segments: readonly Segment[]
  /** Oldest first. */
  readonly records: readonly Left[]
  /** What cannot be read, and was not released. */
  readonly damaged: Before
  /** The run was released so far. */
  readonly mark: Before
  /** All that was appended in it. */
  readonly end: Before
}

/** Records that are missing: from the first to before the second. */
type Gap = readonly [from: Before, to: Before]

const START: Before = { records: 0, windows: 0, rows: 0 }
/** Of an end that cannot be read at all. */
const SOMETHING: Before = { records: 1, windows: 1, rows: 0 }

const plus = (a: Before, b: Before): Before => ({
  records: a.records + b.records,
  windows: a.windows + b.windows,
  rows: a.rows + b.rows,
})
const less = (a: Before, b: Before): Before =>
  plus(a, { records: -b.records, windows: -b.windows, rows: -b.rows })
const behind = ({ before, windows, rows }: Header): Before => plus(before, { records: 1, windows, rows })

/** @throws {Error} when the directory cannot be read */
export async function loadRun(path: string): Promise<LeftRun> {
  const run = new Loading(await readMark(path))
  const names = (await readdir(path)).sort()
  const segments = names.map(name => Segment.named(path, name)).filter(segment => segment !== undefined)
  for (const [index, segment] of segments.entries()) await run.read(segment, index === segments.length - 1)
  return { segments, ...run.result }
}

class Loading {
  readonly #found: Left[] = []
  readonly #gaps: Gap[] = []
  #mark: Before
  /** Behind the last record that was seen. */
  #at = START
  #isFirst = true

  constructor(mark: Before) {
    this.#mark = mark
  }

  /** What waits, and what is missing, of what is not released. */
  get result(): Omit<LeftRun, 'segments'> {
    const { records } = this.#mark
    const gaps = this.#gaps.filter(([, to]) => to.records > records)
    const amounts = gaps.map(([from, to]) => less(to, from.records < records ? this.#mark : from))
    return {
      records: this.#found.filter(({ header }) => header.before.records >= records),
      damaged: amounts.reduce(plus, START),
      mark: this.#mark,
      end: this.#at,
    }
  }

  async read(segment: Segment, isLast: boolean): Promise<void> {
    const handle = await open(segment.path).catch(() => undefined)
    if (!handle) return
    try {
      segment.size = (await handle.stat()).size
      const found = scan(handle, segment.size, segment.salt)
      let torn: Header | undefined
      let next = await found.next()
      for (; !next.done; next = await found.next()) {
        const { offset, header, head } = next.value
        torn = head ? undefined : header
        this.#take(segment, offset, header, head)
      }
      if (isLast && next.value.isTorn) this.#end(torn)
    } catch {
      if (isLast) this.#end(undefined) // it cannot be read any further: EIO
    } finally {
      await handle.close()
    }
  }

  /** What follows in a run tells what is missing before it. At its end only a header does, if it can be read. */
  #end(torn: Header | undefined): void {
    this.#miss(torn ? behind(torn) : plus(this.#at, SOMETHING))
  }

  #take(segment: Segment, offset: number, header: Header, head: Buffer | undefined): void {
    // dropped for want of room, or released: a file that is not there any more
    if (this.#isFirst && this.#mark.records <= header.before.records) this.#at = this.#mark
    else if (this.#isFirst) this.#at = header.before
    this.#isFirst = false
    if (header.released > this.#mark.records) this.#release(header.released)
    if (header.before.records > this.#at.records) this.#miss(header.before)
    if (!head) return
    this.#found.push({ segment, offset, header, head: decodeHead(head) })
    if (header.before.records >= this.#at.records) this.#at = behind(header)
  }

  /** How many of these were windows is not known; it matters only when records around it are missing. */
  #release(records: number): void {
    const known = this.#found.findLast(({ header }) => header.before.records <= records)
    this.#mark =
      known && known.header.before.records === records ? known.header.before : { ...this.#at, records }
  }

  #miss(to: Before): void {
    this.#gaps.push([this.#at, to])
    this.#at = to
  }
}
