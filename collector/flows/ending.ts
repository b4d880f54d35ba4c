/**
 * When the record of a flow that has closed can be written: the windows of both its ends have come. Windows of several hosts
 * end at one time and come a little later, each at its own.
 */

import { NUMBER, WORD } from './table/columns.ts'
import type { Run } from './table/run.ts'
import type { FlowStore } from './table/store.ts'

/** Seconds that a host may be late; or three windows, where these are longer. */
const MAX_LATE_S = 30
const LATE_WINDOWS = 3
/** Share of the table from which on nothing waits for the other end. */
const FULL = 0.9

export class Ending {
  readonly #store: FlowStore

  constructor(store: FlowStore) {
    this.#store = store
  }

  /**
   * Forgets what is done.
   * @param nowMs milliseconds that only rise
   * @param last called once with each flow that is done, and whose conversation has no record of its end
   */
  sweep(nowMs: number, last: (flow: number) => void): void {
    const { table } = this.#store
    const nowS = Math.floor(nowMs / 1000) + 1
    const isFull = table.size > table.most * FULL
    const [first, second] = this.#earliest(nowMs)
    this.#store.sweep(flow => {
      if (!this.#hasEnded(flow, nowS)) return false
      const peer = table.word(flow, WORD.PEER)
      if (peer !== 0) {
        if (!isFull && !this.#hasEnded(peer, nowS)) return false
      } else if (!isFull && this.#store.hasIdentity(flow)) {
        const run = this.#store.runOf(flow)
        const others = first?.run === run ? second : first
        const isLate = nowS - table.word(flow, WORD.ENDED_SEEN) > lateS(run.interval)
        if (!isLate && others !== undefined && others.time < table.word(flow, WORD.ENDED)) return false
      }
      last(flow)
      return true
    })
  }

  /** Its last row has come, and the end of that window. */
  #hasEnded(flow: number, nowS: number): boolean {
    const { table } = this.#store
    if (table.word(flow, WORD.ENDED_SEEN) !== 0) return true
    const run = this.#store.runOf(flow)
    if (table.number(flow, NUMBER.CLOSED) === 0 || table.word(flow, WORD.WINDOW) > run.window + 1)
      return false
    table.setWord(flow, WORD.ENDED, run.time)
    table.setWord(flow, WORD.ENDED_SEEN, nowS)
    return true
  }

  /** The two hosts whose windows are furthest behind, without those that are silent. */
  #earliest(nowMs: number): { readonly run: Run; readonly time: number }[] {
    return [...this.#store.runs]
      .filter(({ seenMs, interval }) => nowMs - seenMs < lateS(interval) * 1000)
      .map(run => ({ run, time: run.time }))
      .sort((a, b) => a.time - b.time)
      .slice(0, 2)
  }
}

const lateS = (interval: number): number => Math.max(MAX_LATE_S, LATE_WINDOWS * interval)
