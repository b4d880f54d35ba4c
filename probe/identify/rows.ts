/** What identifying needs of records: whose they are, and the names in a `cgroup_path`. */

import { type Layout, textOf, viewOf } from '../wire/layout.ts'

/** `hierarchy:cgroup`: cgroup ids are unique within a hierarchy only. */
type CgroupKey = string

export interface Owner {
  readonly key: CgroupKey
  /** Of the rows' network namespace. */
  readonly inode: number
  /** Rows that have both in common. */
  count: number
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
    let last = 0
    for (let at = this.#pid; at < rows.length; at += this.#size) {
      const pid = view.getUint32(at, true)
      if (pid === last) continue
      last = pid
      pids.add(pid)
    }
    return pids
  }

  /** The distinct owners of rows. Neighbours are mostly alike, so a row like the one before costs four loads. */
  owners(rows: Buffer): Iterable<Owner> {
    const view = viewOf(rows)
    const owners = new Map<string, Owner>()
    let [low, high, hierarchy, inode] = [-1, -1, -1, -1]
    let owner: Owner = { key: '', inode, count: 0 }
    for (let at = 0; at < rows.length; at += this.#size) {
      const l = view.getUint32(at + this.#cgroup, true)
      const h = view.getUint32(at + this.#cgroup + 4, true)
      const root = view.getUint32(at + this.#hierarchy, true)
      const net = view.getUint32(at + this.#netns, true)
      if (l !== low || h !== high || root !== hierarchy || net !== inode) {
        low = l
        high = h
        hierarchy = root
        inode = net
        const key = `${root}:${view.getBigUint64(at + this.#cgroup, true)}`
        const known = owners.get(`${key}:${net}`)
        owner = known ?? { key, inode: net, count: 0 }
        if (!known) owners.set(`${key}:${net}`, owner)
      }
      owner.count++
    }
    return owners.values()
  }
}

export class PathReader {
  readonly #size: number
  readonly #cgroup: number
  readonly #hierarchy: number
  readonly #names: readonly ((rows: Buffer, at: number) => string)[]

  constructor(cgroupPath: Layout) {
    this.#size = cgroupPath.size
    this.#cgroup = offsetOf(cgroupPath, 'cgroup')
    this.#hierarchy = offsetOf(cgroupPath, 'hierarchy')
    this.#names = cgroupPath.fields
      .filter(field => field.typedef === 'cgroup_name_t')
      .map(field => textOf(cgroupPath, field.name))
  }

  /** @returns names leaf first */
  *read(records: Buffer): Generator<{ key: CgroupKey; names: string[] }> {
    const view = viewOf(records)
    for (let at = 0; at < records.length; at += this.#size)
      yield {
        key: `${view.getUint32(at + this.#hierarchy, true)}:${view.getBigUint64(at + this.#cgroup, true)}`,
        names: this.#names.map(read => read(records, at)).filter(name => name !== ''),
      }
  }
}
