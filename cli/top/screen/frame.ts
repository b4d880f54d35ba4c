/** The whole screen. Above all, its head: it is there on every terminal, however small. */

import type { Conversation } from '../../../collector/flows/conversation.ts'
import { printable } from '../../printable.ts'
import type { Line, Span } from '../../terminal/style.ts'
import type { Shown } from '../columns/column.ts'
import { frozen, matching, sorted } from '../select.ts'
import type { Snapshot } from '../source.ts'
import type { State } from '../state.ts'
import { type View, withView } from '../views.ts'
import type { Around } from './around.ts'
import { tableAndBelow } from './body.ts'
import { detailLines } from './details.ts'
import { belowLines, lastLine } from './foot.ts'
import { choiceLine, headLine } from './head.ts'
import { helpLines } from './help.ts'

/** The screen, and what keys need to know of it. */
export interface Frame {
  readonly lines: readonly Line[]
  readonly view: View<never>
  readonly ids: readonly string[]
  readonly sort: string
  readonly page: number
  readonly enter: () => void
}

export function frame(snapshot: Snapshot, state: State, around: Around): Frame {
  return withView(snapshot, state, view => frameOf(view, snapshot, state, around))
}

function frameOf<Row>(view: View<Row>, snapshot: Snapshot, state: State, around: Around): Frame {
  const { size, now } = around
  const { columns } = size
  const shown: Shown = { unit: state.unit, now }
  const { rows, quiet } = chosen(view, state, shown)
  const sort = state.sorts.get(state.table)?.title ?? view.first
  const ids = rows.map(view.idOf)
  const troubles = snapshot.hosts.flatMap(({ troubles }) => troubles)
  const below = [
    ...belowLines(
      troubles.map(({ text }) => text),
      around,
    ),
    lastLine(around),
  ].map(line => [...line])
  const head = [
    headLine(snapshot.hosts, state.unit, noteOf(state, around), columns),
    choiceLine(state, sort, columns),
  ]
  const room = Math.max(2, size.rows - head.length - below.length)
  const page = Math.max(1, room - 2)
  const body = state.showsHelp
    ? helpLines(columns)
    : state.connection
      ? detailLines(latest(state.connection, snapshot), state.unit, now)
      : tableAndBelow(view, { rows, ids, quiet, sort, shown }, snapshot, state, { ...size, rows: room })
  const filled = [
    ...body.slice(0, room),
    ...Array.from({ length: Math.max(0, room - body.length) }, () => []),
  ]
  const at = Math.max(0, ids.indexOf(state.selected ?? ''))
  return {
    lines: [...head, ...filled, ...below].slice(0, size.rows),
    view: view as unknown as View<never>,
    ids,
    sort,
    page,
    enter: () => {
      const row = rows[at]
      if (row === undefined || state.connection || state.showsHelp) return
      state.selected = ids[at]
      view.enter?.(row, state)
    },
  }
}

/** A connection that has ended is shown as it was. */
const latest = (connection: Conversation, { flows }: Snapshot): Conversation =>
  flows?.flows.find(({ id }) => id === connection.id) ?? connection

function chosen<Row>(view: View<Row>, state: State, shown: Shown) {
  const found = view.isFiltered ? view.rows : matching(view.rows, view.columns, state.filter, shown)
  const isShown = (row: Row) => state.showsQuiet || state.filter !== '' || !view.isQuiet?.(row)
  const order = state.sorts.get(state.table) ?? { title: view.first, isReversed: false }
  const rows = sorted(found.filter(isShown), view.columns, order)
  return {
    rows: state.frozen ? frozen(rows, view.idOf, state.frozen) : rows,
    quiet: found.length - found.filter(isShown).length,
  }
}

const noteOf = (state: State, { problem }: Around): Span | undefined =>
  problem
    ? { text: printable(problem), style: 'bad' }
    : state.isPaused
      ? { text: 'paused', style: 'warn' }
      : undefined
