/** Runs of probes that are active. */

import { type Identity, runOf } from '../../../wire/message.ts'
import { Run } from './run.ts'

export class Runs {
  readonly #byId = new Map<string, Run>()
  readonly #byNumber: (Run | undefined)[] = [undefined]
  readonly #free: number[] = []
  readonly #boots = new Map<string, { readonly number: number; runs: number }>()
  #boot = 0
  #heard = 0

  get size(): number {
    return this.#byId.size
  }

  at(number: number): Run | undefined {
    return this.#byNumber[number]
  }

  find(id: string): Run | undefined {
    return this.#byId.get(id)
  }

  /** A message of it has come. */
  of(identity: Identity, nowMs: number): Run {
    const id = runOf(identity)
    let run = this.#byId.get(id)
    if (!run) {
      const number = this.#free.pop() ?? this.#byNumber.length
      run = new Run(identity, number, this.#bootOf(identity.boot), this.#heard)
      this.#byId.set(id, run)
      this.#byNumber[number] = run
    }
    run.last = this.#heard++
    run.seenMs = nowMs
    return run
  }

  /** It has no flow. */
  forget(run: Run): void {
    const boot = this.#boots.get(run.identity.boot)
    if (boot && --boot.runs === 0) this.#boots.delete(run.identity.boot)
    this.#byId.delete(runOf(run.identity))
    this.#byNumber[run.number] = undefined
    this.#free.push(run.number)
  }

  [Symbol.iterator](): MapIterator<Run> {
    return this.#byId.values()
  }

  #bootOf(boot: string): number {
    const known = this.#boots.get(boot) ?? { number: ++this.#boot, runs: 0 }
    known.runs++
    this.#boots.set(boot, known)
    return known.number
  }
}
