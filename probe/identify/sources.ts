/** All sources as one, in order: the disk, then the answers of runtimes. */

import { Asked } from './api/asked.ts'
import type { PathNames } from './path.ts'
import { type Described, isComplete, merge, type Running, type Source } from './source.ts'

export class Sources implements Source {
  readonly #disk: readonly Source[]
  readonly #asked: readonly Asked[]
  readonly #all: readonly Source[]
  /** Labels are wanted: then one source with the name is not enough. */
  withLabels: boolean
  /** Since the last call of `running`, a name came from the answer of a runtime, which may be old. */
  #usedAnswer = false
  /** Containers that were seen on disk: for these the disk decides, as an answer may be old. */
  readonly #onDisk = new Set<string>()

  constructor(disk: readonly Source[], asked: readonly Asked[], withLabels = false) {
    this.#disk = disk
    this.#asked = asked
    this.#all = [...disk, ...asked]
    this.withLabels = withLabels
  }

  find(id: string, path?: PathNames): Described | undefined {
    let found: Described | undefined
    for (const source of this.#all) {
      const more = source.find(id, path)
      if (more && source instanceof Asked) this.#usedAnswer = true
      if (more) found = found ? merge(found, more) : more
      if (found && isComplete(found, path, this.withLabels)) break
    }
    return found
  }

  version(): number {
    return this.#asked.reduce((sum, { answered }) => sum + answered, 0)
  }

  isNamed(namespace: string, name: string): boolean {
    return this.#disk.some(source => source.isNamed?.(namespace, name))
  }

  running(): Running[] {
    const onDisk = this.#disk.flatMap(source => source.running())
    const running = new Map(onDisk.map(container => [container.id, container]))
    for (const id of running.keys()) this.#onDisk.add(id)
    const heard = this.#asked.flatMap(source => source.running())
    const others = heard.filter(({ id }) => !this.#onDisk.has(id))
    for (const container of others) running.set(container.id, container)
    const heardIds = new Set(heard.map(({ id }) => id))
    for (const id of this.#onDisk) if (!running.has(id) && !heardIds.has(id)) this.#onDisk.delete(id)
    const isBlind = onDisk.length === 0 && !this.#disk.some(source => source.sees?.())
    // the disk does not show all containers, or not their names: ask each time
    if (isBlind || others.length > 0 || this.#usedAnswer) this.refresh()
    this.#usedAnswer = false
    return [...running.values()]
  }

  refresh(): void {
    for (const source of this.#asked) source.refresh()
  }

  hasHeard(sinceMs: number): boolean {
    return this.#asked.every(source => source.hasHeard(sinceMs))
  }

  /** Questions that a runtime did not answer, by source and reason. */
  losses(): Record<string, number> {
    const lost: Record<string, number> = {}
    for (const { name, failed } of this.#asked)
      for (const [reason, count] of Object.entries(failed))
        lost[`identify/${name}_${reason}`] = (lost[`identify/${name}_${reason}`] ?? 0) + count
    return lost
  }

  close(): void {
    for (const source of this.#asked) source.close()
  }
}
