/** Reads the owners of rows, and the names in a `cgroup_path`. */

import { type Layout, viewOf } from '../../wire/layout.ts'

/** `hierarchy:cgroup`: cgroup ids are unique within a hierarchy only. */
type CgroupKey = string

export interface OwnerCount {
  readonly key: CgroupKey
  /** Of the rows' network namespace. */
  readonly inode: number
  /** Rows that have both in common. */
  readonly count: number
}

/** The same in words of 32 bits, signed: as unsigned numbers they would not fit V8's small integers. */
class Counted implements OwnerCount {
  count = 0
  readonly #low: number
  readonly #high: number
  readonly #hierarchy: number
  readonly #netns: number

  constructor(low: number, high: number, hierarchy: number, netns: number) {
    this.#low = low
    this.#high = high
    this.#hierarchy = hierarchy
    this.#netns = netns
  }

  is(low: number, high: number, hierarchy: number, netns: number): boolean {
    return low === this.#low && netns === this.#netns && hierarchy === this.#hierarchy && high === this.#high
  }

  get key(): CgroupKey {
    return `${this.#hierarchy >>> 0}:${(BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)}`
  }

  get inode(): number {
    return this.#netns >>> 0
  }
}

const hasField = (layout: Layout, name: string): boolean => layout.fields.some(field => field.name === name)

const offsetOf = (layout: Layout, name: string): number =>
  layout.fields.find(field => field.name === name)!.offset

export class RowReader {
  readonly #size: number
  readonly #cgroup: number
  readonly #hierarchy: number
  readonly #netns: number
  /** Of flows; sums per cgroup have none. */
  readonly #pid: number | undefined

  constructor(record: Layout) {
    this.#size = record.size
    this.#cgroup = offsetOf(record, 'cgroup')
    this.#hierarchy = offsetOf(record, 'hierarchy')
    this.#netns = offsetOf(record, 'netns')
    this.#pid = hasField(record, 'pid') ? offsetOf(record, 'pid') : undefined
  }

  /** The distinct processes of rows. */
  pids(rows: Buffer): ReadonlySet<number> {
    const pids = new Set<number>()
    if (this.#pid === undefined) return pids
    const view = viewOf(rows)
    // the two ends of connections within the host alternate
    let [last, before] = [0, 0]
    for (let at = this.#pid; at < rows.length; at += this.#size) {
      const pid = view.getUint32(at, true)
      if (pid === last) continue
      if (pid !== before && pid !== 0) pids.add(pid)
      before = last
      last = pid
    }
    return pids
  }

  /** The distinct owners of rows. */
  owners(rows: Buffer): readonly OwnerCount[] {
    const view = viewOf(rows)
    const owners: Counted[] = []
    const byCgroup = new Map<number, Counted[]>()
    const find = (low: number, high: number, hierarchy: number, netns: number): Counted => {
      const near = byCgroup.get(low) ?? []
      const known = near.find(owner => owner.is(low, high, hierarchy, netns))
      if (known) return known
      const owner = new Counted(low, high, hierarchy, netns)
      if (near.push(owner) === 1) byCgroup.set(low, near)
      owners.push(owner)
      return owner
    }
    let last: Counted | undefined
    let before: Counted | undefined
    for (let at = 0; at < rows.length; at += this.#size) {
      const low = view.getInt32(at + this.#cgroup, true)
      const high = view.getInt32(at + this.#cgroup + 4, true)
      const hierarchy = view.getInt32(at + this.#hierarchy, true)
      const netns = view.getInt32(at + this.#netns, true)
      if (!last?.is(low, high, hierarchy, netns)) {
        const former = last
        last = before?.is(low, high, hierarchy, netns) ? before : find(low, high, hierarchy, netns)
        before = former
      }
      last.count++
    }
    return owners
  }
}

export class PathReader {
  readonly #size: number
  readonly #cgroup: number
  readonly #hierarchy: number
  readonly #names: number

  constructor(cgroupPath: Layout) {
    this.#size = cgroupPath.size
    this.#cgroup = offsetOf(cgroupPath, 'cgroup')
    this.#hierarchy = offsetOf(cgroupPath, 'hierarchy')
    this.#names = offsetOf(cgroupPath, 'names')
  }

  /** @returns names leaf first */
  *read(records: Buffer): Generator<{ key: CgroupKey; names: string[] }> {
    const view = viewOf(records)
    for (let at = 0; at < records.length; at += this.#size)
      yield {
        key: `${view.getUint32(at + this.#hierarchy, true)}:${view.getBigUint64(at + this.#cgroup, true)}`,
        names: namesIn(records.subarray(at + this.#names, at + this.#size)),
      }
  }
}

/** Each ends with a NUL, and the last with two: what follows is from other records. */
function namesIn(bytes: Buffer): string[] {
  const names: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start)
    if (end <= start) break
    names.push(bytes.toString('utf8', start, end))
    start = end + 1
  }
  return names
}
