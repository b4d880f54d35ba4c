/** Finds what a run has left: reads all of it once, and tells what is missing. */

import { type FileHandle, readdir } from 'node:fs/promises'
import { setImmediate as pause } from 'node:timers/promises'
import { openForeign } from '../process/foreign.ts'
import { readMark } from './mark.ts'
import { type Before, decodeHead, type Header } from './record.ts'
import { type Scanned, scan } from './scan.ts'
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

/** The process does nothing else for so long. */
const TURN_MS = 10

/**
 * @param began called for each segment, before its records
 * @param found called for each record that waits, oldest first
 * @throws {Error} when the directory cannot be read
 */
export async function loadRun(
  path: string,
  found: (record: Left) => void,
  began: (segment: Segment) => void = () => {},
): Promise<LeftRun> {
  const names = (await readdir(path)).sort()
  const segments = names.map(name => Segment.named(path, name)).filter(segment => segment !== undefined)
  const mark = await readMark(path)
  const run = new Loading(
    { ...mark, records: Math.max(mark.records, await releasedIn(segments)) },
    mark,
    found,
  )
  for (const [index, segment] of segments.entries()) {
    began(segment)
    await run.read(segment, index === segments.length - 1)
  }
  return { segments, ...run.result }
}

/** What the newest records say of it: a power cut may have taken the mark. */
async function releasedIn(segments: readonly Segment[]): Promise<number> {
  for (const segment of segments.toReversed()) {
    let released = -1
    await reading(segment, async (handle, size) => {
      await each(scan(handle.fd, size, segment.salt), ({ header }) => {
        released = Math.max(released, header.released)
      })
    }).catch(() => {})
    if (released >= 0) return released
  }
  return 0
}

async function reading(
  segment: Segment,
  use: (handle: FileHandle, size: number) => Promise<void>,
): Promise<void> {
  const handle = await openForeign(segment.path)
  try {
    await use(handle, (await handle.stat()).size)
  } finally {
    await handle.close()
  }
}

/** @returns what the scan does, when it has ended */
async function each<T>(
  scanning: Generator<Scanned | undefined, T>,
  take: (one: Scanned) => void,
): Promise<T> {
  let since = performance.now()
  for (;;) {
    const next = scanning.next()
    if (next.done) return next.value
    if (next.value) take(next.value)
    if (performance.now() - since < TURN_MS) continue
    await pause()
    since = performance.now()
  }
}

class Loading {
  readonly #found: (record: Left) => void
  readonly #gaps: Gap[] = []
  #mark: Before
  /** Windows and rows of the mark are known. */
  #isExact: boolean
  /** Behind the last record that was seen. */
  #at = START
  #isFirst = true

  /**
   * @param mark the run was released so far
   * @param known the same, or an earlier one of which windows and rows are known
   */
  constructor(mark: Before, known: Before, found: (record: Left) => void) {
    this.#mark = mark
    this.#isExact = mark.records === known.records
    this.#found = found
  }

  /** What is missing of what is not released. */
  get result(): Omit<LeftRun, 'segments'> {
    const { records } = this.#mark
    const gaps = this.#gaps.filter(([, to]) => to.records > records)
    const amounts = gaps.map(([from, to]) => less(to, from.records < records ? this.#mark : from))
    return { damaged: amounts.reduce(plus, START), mark: this.#mark, end: this.#at }
  }

  async read(segment: Segment, isLast: boolean): Promise<void> {
    try {
      await reading(segment, async (handle, size) => {
        segment.size = size
        let torn: Header | undefined
        const { isTorn } = await each(scan(handle.fd, size, segment.salt), ({ offset, header, head }) => {
          torn = head ? undefined : header
          this.#take(segment, offset, header, head)
        })
        if (isLast && isTorn) this.#end(torn)
      })
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).syscall === 'open'
      if (isLast && !isGone) this.#end(undefined) // it cannot be read any further: EIO
    }
  }

  /** What follows in a run tells what is missing before it. At its end only a header does, if it can be read. */
  #end(torn: Header | undefined): void {
    this.#miss(torn ? behind(torn) : plus(this.#at, SOMETHING))
  }

  #take(segment: Segment, offset: number, header: Header, head: Buffer | undefined): void {
    const { before } = header
    this.#place(before)
    // dropped for want of room, or released: a file that is not there any more
    if (this.#isFirst && this.#mark.records <= before.records) this.#at = this.#mark
    else if (this.#isFirst) this.#at = before
    this.#isFirst = false
    if (before.records > this.#at.records) this.#miss(before)
    if (!head) return
    if (before.records >= this.#mark.records) this.#found({ segment, offset, header, head: decodeHead(head) })
    if (before.records >= this.#at.records) this.#at = behind(header)
  }

  /** A header that says only how many records were released: the windows and rows before it are those of the record there. */
  #place(before: Before): void {
    if (this.#isExact || before.records < this.#mark.records) return
    const { records } = this.#mark
    this.#mark = before.records === records ? before : { ...this.#at, records }
    this.#isExact = true
  }

  #miss(to: Before): void {
    this.#gaps.push([this.#at, to])
    this.#at = to
  }
}
