/** The tables as text: for a pipe, a file, or a terminal that cannot be drawn on. */

import { printable } from '../printable.ts'
import { plain } from '../terminal/style.ts'
import type { Shown } from './columns/column.ts'
import { headText } from './screen/head.ts'
import { tableLines } from './screen/table.ts'
import { matching, sorted } from './select.ts'
import type { Snapshot } from './source.ts'
import type { State } from './state.ts'
import { levelView, type View, withView } from './views.ts'

/** @returns all rows, the quiet ones as well, and what is wrong */
export function plainText(snapshot: Snapshot, state: State, now: number): string {
  const shown: Shown = { unit: state.unit, now }
  const head = headText(snapshot.hosts, state.unit)
  if (snapshot.hosts.length === 0) return `${head}\n`
  const table = withView(snapshot, state, view => text(view, state, shown))
  const programs =
    state.view === 'containers' && state.fold === 0
      ? ['', ...text(levelView(snapshot, 'programs'), state, shown)]
      : []
  const troubles = snapshot.hosts
    .flatMap(({ troubles }) => troubles)
    .map(({ text }) => `! ${printable(text)}`)
  return [head, '', ...table, ...programs, ...(troubles.length > 0 ? ['', ...troubles] : []), ''].join('\n')
}

function text<Row>(view: View<Row>, state: State, shown: Shown): string[] {
  const order = state.sorts.get(state.table) ?? { title: view.first, isReversed: false }
  const found = view.isFiltered ? view.rows : matching(view.rows, view.columns, state.filter, shown)
  const rows = sorted(found, view.columns, order)
  const lines = tableLines({ columns: view.columns, rows, shown }, Number.POSITIVE_INFINITY)
  const more = view.more > 0 ? [`… ${view.more} more`] : []
  return [...lines.map(line => plain(line).slice(1)), ...more, ...(view.note ? [view.note] : [])]
}
