/** Processes as the kernel described them when they first owned a flow: they may be gone when their window ends. */

import { BoundedMap } from '../../wire/bounded_map.ts'
import { type Layout, numberOf, textOf, viewOf } from '../../wire/layout.ts'
import type { ProcessName } from '../../wire/message.ts'
import { nameOf } from './program/process_name.ts'

/** Processes in the cache, least recently used out first; the kernel's own list does the same. */
const MAX_PROCESSES = 32_768

export class Processes {
  readonly #processes = new BoundedMap<number, ProcessName>(MAX_PROCESSES)
  readonly #layout: Layout
  readonly #proc: string
  readonly #started: number
  readonly #read: (rows: Buffer, view: DataView, at: number) => Omit<ProcessName, 'started_ns' | 'name'>
  readonly #pid: (view: DataView, at: number) => number

  /** @param proc where procfs is mounted */
  constructor(process: Layout, proc = '/proc') {
    this.#layout = process
    this.#proc = proc
    this.#started = process.fields.find(({ name }) => name === 'started_ns')!.offset
    this.#pid = numberOf(process, 'pid')
    const [parent, uid] = [numberOf(process, 'parent'), numberOf(process, 'uid')]
    const [comm, parentComm] = [textOf(process, 'comm'), textOf(process, 'parent_comm')]
    const levels = process.fields.filter(({ typedef }) => typedef === 'exe_name_t')
    const names = levels.map(({ name }) => textOf(process, name))
    this.#read = (rows, view, at) => ({
      comm: comm(rows, at),
      exe: pathOf(
        names.map(read => read(rows, at)),
        names.length,
      ),
      parent: parent(view, at),
      parent_comm: parentComm(rows, at),
      uid: uid(view, at),
    })
  }

  /** Records of `process`. */
  learn(records: Buffer): void {
    const view = viewOf(records)
    for (let at = 0; at < records.length; at += this.#layout.size) {
      const pid = this.#pid(view, at)
      const process = {
        started_ns: String(view.getBigUint64(at + this.#started, true)),
        ...this.#read(records, view, at),
      }
      // now: it may be gone when its window ends
      this.#processes.set(pid, { ...process, name: nameOf(pid, process, this.#proc) })
    }
  }

  find(pid: number): ProcessName | undefined {
    return this.#processes.get(pid)
  }
}

/** @param names leaf first; when all levels are filled there may be more above */
function pathOf(names: readonly string[], levels: number): string {
  const known = names.filter(name => name !== '')
  if (known.length === 0) return ''
  return (known.length === levels ? '…/' : '/') + known.reverse().join('/')
}
