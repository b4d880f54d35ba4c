/** TCP flows as objects, whichever record tells them: what an update leaves out is what the flow's last whole row said. */

import { type Layout, numberOf, textOf, viewOf } from '../../wire/layout.ts'
import type { NumberField, TcpFlow } from '../../wire/records.ts'

/** A row as an object: its numbers and its name; times in nanoseconds since boot. */
export type RowOf<R> = Record<NumberField<R>, number> & {
  readonly comm: string
  /** Exact, as text: what `ss -e` prints after `sk:` is the same in hexadecimal. */
  readonly cookie: string
  /** The window that the row belongs to. */
  readonly window: number
}
export type Row = RowOf<TcpFlow>

export function numbersOf(layout: Layout, rows: Buffer, window: number): Record<string, number>[] {
  const view = viewOf(rows)
  const numbers = layout.fields
    .filter(({ type }) => type !== 'bytes')
    .map(({ name }) => [name, numberOf(layout, name)] as const)
  return Array.from({ length: rows.length / layout.size }, (_, index) => ({
    ...Object.fromEntries(numbers.map(([name, read]) => [name, read(view, index * layout.size)])),
    window,
  }))
}

export function rowsOf<R = TcpFlow>(layout: Layout, rows: Buffer, window: number): RowOf<R>[] {
  const comm = textOf(layout, 'comm')
  const cookie = layout.fields.find(({ name }) => name === 'socket')!.offset
  return numbersOf(layout, rows, window).map((row, index) => {
    const at = index * layout.size
    return {
      ...row,
      comm: comm(rows, at),
      cookie: viewOf(rows)
        .getBigUint64(at + cookie, true)
        .toString(16),
    } as RowOf<R>
  })
}

/** An update says that the flow was reported, not when. */
const EARLIER = 1
/** enum flow_flags: FLOW_HANDED */
export const HANDED = 64

export class FlowRows {
  /** By cookie. */
  readonly #told = new Map<string, Row>()

  /** @returns none for rows of other records; throws for an update of a flow that was not told */
  read(layout: Layout, rows: Buffer, window: number): Row[] {
    if (layout.name === 'tcp_flow') {
      const whole = rowsOf(layout, rows, window)
      // a row of its former owner does not end a flow
      for (const row of whole) this.#told.set(row.cookie, row.flags & HANDED ? { ...row, closed_ns: 0 } : row)
      return whole
    }
    if (layout.name !== 'tcp_update') return []
    return rowsOf<Partial<TcpFlow>>(layout, rows, window).map(update => {
      const told = this.#told.get(update.cookie)
      if (!told || told.closed_ns > 0) throw new Error(`an update of ${update.cookie}, which is not open`)
      return { ...told, reported_ns: EARLIER, ...update }
    })
  }
}
