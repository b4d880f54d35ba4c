/** Room in the kernel for more flows: made before it is needed, so that a host with few sockets pays for few. */

import { BpfError, type BpfObject } from 'bcc-bindings'
import { SIGNALS } from '../../signals/index.ts'
import type { Growing } from '../../signals/signal.ts'
import { sizesOf } from '../sizes.ts'
import type { Wanted } from '../wanted.ts'
import { type Grown, wordsOf } from './growing.ts'
import { chunkOf, Slots } from './slots.ts'
import { Table } from './table.ts'

const KINDS = { slots: Slots, table: Table }

/** After a failure it is tried again this much later. */
const RETRY_MS = 10_000
/** While something waits for room. */
const HURRY_MS = 5

const growing = (object: BpfObject, wanted: Wanted): Growing[] =>
  SIGNALS.flatMap(signal => signal.grows?.(sizesOf(object, wanted, signal)) ?? [])

/** Before the object is loaded. */
export function limitRoom(object: BpfObject, wanted: Wanted): void {
  for (const { kind, map, most } of growing(object, wanted))
    if (kind === 'slots') object.resizeMap(map, Math.ceil(most / chunkOf(object, map)))
}

function asRefusal(error: unknown): BpfError {
  if (error instanceof BpfError) return error
  throw error
}

export class Room {
  /** How often the kernel refused more, mostly for want of memory. */
  failed = 0
  readonly #all: readonly Grown[]
  readonly #warn: (sentence: string) => void
  readonly #busy = new Set<Grown>()
  /** Those that failed, until they are tried again. */
  readonly #stuck = new Map<Grown, number>()
  /** Its memory is not there any more. */
  #closed = false

  /** @param object loaded */
  constructor(object: BpfObject, wanted: Wanted, warn: (sentence: string) => void) {
    const word = wordsOf(object)
    this.#all = growing(object, wanted).map(grown => new KINDS[grown.kind](object, grown, word))
    this.#warn = warn
  }

  /** A few words of shared memory are read; to be called ten times a second. */
  check(): void {
    if (this.#closed) return
    for (const grown of this.#all) if (!this.#busy.has(grown) && grown.isShort()) this.#grow(grown)
  }

  /** Checks all the time until `done`. */
  async whileWaiting(done: Promise<void>): Promise<void> {
    const timer = setInterval(() => this.check(), HURRY_MS)
    await done.finally(() => clearInterval(timer))
  }

  /** Before the object is closed. */
  close(): void {
    this.#closed = true
  }

  async #grow(grown: Grown): Promise<void> {
    if (performance.now() < (this.#stuck.get(grown) ?? 0)) return
    this.#busy.add(grown)
    const error = await grown.grow().then(() => undefined, asRefusal)
    this.#busy.delete(grown)
    if (this.#closed) return
    if (error) this.#fail(grown, error.code)
    else if (this.#stuck.delete(grown)) grown.promise(true)
    this.check()
  }

  #fail(grown: Grown, code: string): void {
    this.failed++
    if (!this.#stuck.has(grown)) {
      grown.promise(false)
      this.#warn(
        `the kernel refuses more than ${grown.room} entries of ${grown.name} (${code}); what finds no room is counted as lost, and it is tried again every ${RETRY_MS / 1000} s`,
      )
    }
    this.#stuck.set(grown, performance.now() + RETRY_MS)
  }
}
