/** A probe's end of the wire, without a wire. */

import type { Rows } from '../../../wire/layout.ts'
import { encodeMessage, encodeSettled, encodeWindow, type Head, type Names } from '../../../wire/message.ts'
import { bundleOf } from '../../harness/bundle.ts'
import { encodeRows, tcpFlowLayout } from '../../harness/rows.ts'

export const layout = tcpFlowLayout()
const nobody: Names = { cgroups: {}, containers: {}, pods: {} }
/** Seconds since the epoch, the label of window 0. */
export const START = 1_767_000_000

/** A probe that numbers its messages; `skip` loses one on the way. */
export class Probe {
  readonly name: string
  sequence = 0
  interval = 10
  /** Its ends say how many rows there are, as those of this version do. */
  countsRows = false
  readonly #made = new Map<number, number>()
  lost: Record<string, number> = {}

  constructor(name = 'p') {
    this.name = name
  }

  rows(window: number, count: number, as = layout): Buffer[] {
    const flows = Array.from({ length: count }, () => ({}))
    this.#made.set(window, (this.#made.get(window) ?? 0) + count)
    return this.send(window, { layout: as, bytes: encodeRows(as, flows) })
  }

  send(window: number, ...parts: readonly Rows[]): Buffer[] {
    return encodeMessage(this.#head(window), bundleOf(...parts), nobody)
  }

  end(window: number, partial = false, count = 0, time = START + window * 10): Buffer[] {
    const { interval } = this
    const rows = this.countsRows ? { rows: count + (this.#made.get(window) ?? 0) } : {}
    const end = { end_ns: '2', time, interval, clock_offset_ns: '0', partial, ...rows }
    const head = Object.assign(this.#head(window), end)
    const flows = Array.from({ length: count }, () => ({}))
    const bundle = bundleOf({ layout, bytes: encodeRows(layout, flows) })
    return encodeWindow(head, bundle, { ...nobody, running: [] })
  }

  /** Every window before this one is held by some collector. */
  settled(window: number, elsewhere = true): Buffer[] {
    const { start_ns: _, ...head } = { ...this.#head(window), sequence: this.sequence - 1 }
    this.sequence--
    return encodeSettled({ ...head, elsewhere })
  }

  skip(messages = 1): void {
    this.sequence += messages
  }

  #head(window: number): Head {
    const { name: probe, lost } = this
    return { host: 'h', boot: 'b', probe, window, sequence: this.sequence++, start_ns: '1', lost }
  }
}
