/** The records that wait, in their segments, over all runs: oldest first. */

import type { Mark } from './mark.ts'
import type { Before } from './record.ts'
import type { Segment } from './segment.ts'
import type { Entry } from './table.ts'

/** A run whose segments are here. */
export interface ShelfRun {
  readonly path: string
  readonly mark: Mark
  /** All that was appended in it. */
  end: Before
  readonly segments: Segment[]
}

export class Shelf {
  readonly runs: ShelfRun[] = []
  records = 0
  windows = 0
  rows = 0
  /** Of the next record. */
  #serial = 0

  get segments(): Segment[] {
    return this.runs.flatMap(({ segments }) => segments)
  }

  get bytes(): number {
    return this.segments.reduce((sum, { size }) => sum + size, 0)
  }

  /** The first that waits. */
  get oldest(): { serial: number; time: number } | undefined {
    const segment = this.segments.find(({ waiting }) => waiting > 0)
    return segment && { serial: segment.from(0)!, time: segment.oldest!.time }
  }

  after(serial: number): number | undefined {
    for (const segment of this.segments) {
      const found = segment.end > serial + 1 ? segment.from(serial + 1) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The segment of this record. */
  find(serial: number): Segment | undefined {
    return this.segments.find(({ first, end }) => first <= serial && serial < end)
  }

  /** A segment that is filled from now on, behind all others. */
  put(run: ShelfRun, segment: Segment): void {
    if (!this.runs.includes(run)) this.runs.push(run)
    segment.first = this.#serial
    run.segments.push(segment)
  }

  /** To the last segment. @returns its serial */
  add(segment: Segment, entry: Entry, at: number): number {
    segment.add(entry, at)
    this.records++
    this.windows += entry.windows
    this.rows += entry.rows
    return this.#serial++
  }

  /** @returns what it was; undefined when it does not wait */
  remove(segment: Segment, serial: number): Entry | undefined {
    const entry = segment.remove(serial)
    if (!entry) return undefined
    this.records--
    this.windows -= entry.windows
    this.rows -= entry.rows
    return entry
  }

  runOf(segment: Segment): ShelfRun | undefined {
    return this.runs.find(({ segments }) => segments.includes(segment))
  }

  /** Says on disk how much of the run is done. */
  mark({ mark, segments, end }: ShelfRun): Before {
    const before = segments.find(({ waiting }) => waiting > 0)?.oldest?.before ?? end
    mark.set(before)
    return before
  }

  /** It has no records that wait. @returns its run when that has no segments now */
  forget(segment: Segment): ShelfRun | undefined {
    const run = this.runOf(segment)
    if (!run) return undefined
    run.segments.splice(run.segments.indexOf(segment), 1)
    if (run.segments.length > 0) return undefined
    this.runs.splice(this.runs.indexOf(run), 1)
    return run
  }
}
