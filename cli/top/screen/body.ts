/** What is between the head and the last lines: the table, and below containers the programs in them. */

import { printable } from '../../printable.ts'
import type { Size } from '../../terminal/painter.ts'
import type { Line } from '../../terminal/style.ts'
import type { Shown } from '../columns/column.ts'
import { sorted } from '../select.ts'
import type { Snapshot } from '../source.ts'
import type { State } from '../state.ts'
import { levelView, type View } from '../views.ts'
import { tableLines } from './table.ts'

/** Of the room for both tables. */
const LOWER_SHARE = 0.35

export interface Table<Row> {
  readonly rows: readonly Row[]
  readonly ids: readonly string[]
  readonly quiet: number
  readonly sort: string
  readonly shown: Shown
}

export function tableAndBelow<Row>(
  view: View<Row>,
  table: Table<Row>,
  snapshot: Snapshot,
  state: State,
  { rows: room, columns }: Size,
): Line[] {
  const lower = hasPrograms(state) ? programLines(snapshot, table.shown, columns) : []
  const title = state.scope
    ? [[{ text: `connections of ${printable(state.scope.name)}`, style: 'title' as const }]]
    : []
  const wanted = title.length + 1 + table.rows.length + 1
  // the lower table gets what the upper one leaves, and a third of the room at least
  const lowerRoom = lower.length > 1 ? Math.max(Math.floor(room * LOWER_SHARE), room - wanted) : 0
  const upperRoom = room - Math.min(lowerRoom, lower.length)
  const upper = [...title, ...mainLines(view, table, state, upperRoom - title.length, columns)]
  return [...upper, ...lower.slice(0, room - upper.length)]
}

function mainLines<Row>(
  view: View<Row>,
  { rows, ids, quiet, sort, shown }: Table<Row>,
  state: State,
  room: number,
  columns: number,
): Line[] {
  const rest = restOf(rows.length === 0, quiet, view)
  const most = Math.max(1, room - 1 - (rest === '' ? 0 : 1))
  const selected = Math.max(0, ids.indexOf(state.selected ?? ''))
  // it scrolls no further than the selected row needs
  state.first = Math.max(0, Math.min(state.first, selected, rows.length - most))
  if (selected >= state.first + most) state.first = selected - most + 1
  const visible = rows.slice(state.first, state.first + most)
  const given = {
    columns: view.columns,
    rows: visible,
    shown,
    sorted: sort,
    selected: selected - state.first,
  }
  const lines = tableLines(given, columns)
  const beyond = rows.length - state.first - visible.length
  const below = [beyond > 0 ? `… ${beyond} more below` : '', rest].filter(Boolean).join(', ')
  if (below === '') return lines
  return [...(beyond > 0 && rest === '' ? lines.slice(0, -1) : lines), [{ text: ` ${below}`, style: 'dim' }]]
}

function restOf<Row>(isEmpty: boolean, quiet: number, { more, note }: View<Row>): string {
  const parts = [
    quiet > 0 ? `… ${quiet} quiet (a shows all)` : '',
    more > 0 ? `${more} more at the collector (sort or filter to see them)` : '',
    note ?? '',
  ].filter(Boolean)
  return parts.length === 0 && isEmpty ? 'nothing to show yet' : parts.join(', ')
}

/** Below containers and pods: what runs there. */
const hasPrograms = ({ view, scope }: State): boolean => !scope && (view === 'containers' || view === 'pods')

function programLines(snapshot: Snapshot, shown: Shown, columns: number): Line[] {
  const view = levelView(snapshot, 'programs')
  const busy = view.rows.filter(row => !view.isQuiet?.(row))
  const rows = sorted(busy.length > 0 ? busy : view.rows, view.columns, {
    title: view.first,
    isReversed: false,
  })
  return tableLines({ columns: view.columns, rows, shown }, columns)
}
