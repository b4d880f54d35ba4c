/**
 * The flow stage: it takes the same rows as the fold, and keeps a record of each conversation while it lives. It runs only when
 * somebody consumes flows. A row is read on arrival; a window's end says who its processes and containers are.
 */

import type { Layout } from '../../wire/layout.ts'
import { type Head, type Names, runOf } from '../../wire/message.ts'
import type { Counted } from '../counters.ts'
import type { Folded } from '../ingest/folded.ts'
import type { RowTaker } from '../ingest/row_taker.ts'
import { Into } from './into.ts'
import { type Answer, ask, type Question } from './live.ts'
import { READERS, type RowReader } from './rows.ts'
import { MARK, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import { eachConversation, FlowStore } from './table/store.ts'

export interface FlowOptions {
  readonly flows: boolean
  /** Flows that are kept at once. */
  readonly maxLiveFlows: number
}

/** Records of a probe that sums before it sends. */
const FOLDED = 'flow_total'

export class Flows implements RowTaker, Counted {
  readonly store: FlowStore
  readonly #readers = new WeakMap<Layout, RowReader>()
  readonly #now: () => number

  /** Somebody consumes flows. */
  readonly isWanted: boolean

  /** @param now milliseconds that only rise */
  constructor({ flows, maxLiveFlows }: FlowOptions, now: () => number = () => performance.now()) {
    this.isWanted = flows
    this.store = new FlowStore(maxLiveFlows)
    this.#now = now
  }

  /** Rows of a window that has not ended. */
  take(head: Head, layout: Layout, rows: Buffer, names: Names): void {
    const run = this.store.runs.of(head, this.#now())
    if (layout.name === FOLDED) run.isFolded = true
    const reader = this.#reader(layout)
    reader?.(rows, new Into(this.store, run, head.window, names))
  }

  /** A window has ended. @param ifid of the endpoint that its probe came by */
  end({ key, run: id = runOf(key), time, interval, offsetMs, fold }: Folded, ifid: string): void {
    const run = this.store.runs.find(id)
    if (!run) return
    run.host = key.host
    run.ifid = ifid
    run.window = key.window
    run.time = time
    run.interval = interval
    run.offsetMs = offsetMs ?? run.offsetMs
    this.#name(run, fold)
    this.#sweep()
  }

  ask(question: Question): Answer {
    return ask(this.store, question)
  }

  /** Every conversation: the numbers of its client's and its server's flow, 0 for an end that is unknown. */
  each(visit: (client: number, server: number) => void): void {
    eachConversation(this.store, visit)
  }

  losses() {
    return { 'flows/full': this.store.refused }
  }

  view() {
    const { table, runs } = this.store
    return { flows: { live: table.size, most: table.most, bytes: table.bytes, runs: runs.size } }
  }

  /** Flows whose probe is gone have ended for us. */
  expire(): void {
    for (const run of this.store.runs.silent(this.#now())) {
      for (const flow of this.store.ofRun(run)) {
        this.store.marks(flow, MARK.ABANDONED)
        this.store.close(flow, 1)
      }
      run.window = Number.POSITIVE_INFINITY
      this.#sweep()
      if (run.flows === 0) this.store.runs.forget(run)
    }
  }

  #sweep(): void {
    const { store } = this
    store.sweep(flow => store.table.word(flow, WORD.WINDOW) <= store.runOf(flow).window + 1)
  }

  #name(run: Run, fold: Folded['fold']): void {
    for (const [id, number] of run.places) {
      const place = this.store.places.get(number)!
      place.name = fold.containers.get(id)?.name ?? place.name
      if (place.name.pod !== undefined) place.pod = fold.podName(place.name.pod) ?? place.pod
    }
    for (const [pid, number] of run.programs) {
      const name = fold.processName(pid)
      const program = this.store.programs.get(number)!
      if (name === undefined || program.name?.started_ns === name.started_ns) continue
      if (program.name === undefined) program.name = name
      else run.programs.delete(pid) // a later process with the same pid: flows of the earlier one keep its name
    }
  }

  #reader(layout: Layout): RowReader | undefined {
    let reader = this.#readers.get(layout)
    if (!reader) {
      reader = READERS.get(layout.name)?.(layout)
      if (reader) this.#readers.set(layout, reader)
    }
    return reader
  }
}
