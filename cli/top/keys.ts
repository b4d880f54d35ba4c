/** What each key does. The help and the last line are made from this table. */

import { UNITS } from './columns/units.ts'
import { neighbour } from './select.ts'
import { FOLDS, type State, VIEWS, type ViewName } from './state.ts'
import type { View } from './views.ts'

/** What keys act upon. */
export interface Acting {
  readonly state: State
  /** The table that is shown, with its rows as they are shown. */
  readonly view: View<never>
  readonly ids: readonly string[]
  /** The column that rows are sorted by now. */
  readonly sort: string
  /** Rows on the screen. */
  readonly page: number
  /** Enter, on the row that is selected. */
  readonly enter: () => void
  readonly quit: () => void
  readonly redraw: () => void
}

interface KeyRow {
  readonly keys: readonly string[]
  readonly help: string
  /** Rows of one group are one line of the help. */
  readonly group?: 'views' | 'move'
  /** In the last line. */
  readonly label?: string
  readonly work: (acting: Acting) => void
}

/** Letters of the views, besides F2, F3, …; `r` as in "running", `w` as in "with whom". */
export const LETTERS: Readonly<Record<ViewName, string>> = {
  containers: 'c',
  pods: 'p',
  processes: 'r',
  flows: 'f',
  peers: 'w',
  interfaces: 'i',
}

const select =
  (to: (at: number, acting: Acting) => number): KeyRow['work'] =>
  acting => {
    const { ids, state } = acting
    const at = Math.max(0, ids.indexOf(state.selected ?? ''))
    state.selected = ids[Math.min(ids.length - 1, Math.max(0, to(at, acting)))]
  }

const sortBy =
  (change: (acting: Acting) => { title: string; isReversed: boolean }): KeyRow['work'] =>
  acting => {
    acting.state.sorts.set(acting.state.table, change(acting))
    acting.state.unselect()
  }
const isReversed = ({ state }: Acting): boolean => state.sorts.get(state.table)?.isReversed ?? false

const step = (by: 1 | -1) =>
  sortBy(({ view, sort }) => ({ title: neighbour(view.columns, sort, by), isReversed: false }))

export const KEYS: readonly KeyRow[] = [
  ...VIEWS.map(
    (view, at): KeyRow => ({
      keys: [LETTERS[view], `f${at + 2}`],
      help: `${view}`,
      group: 'views',
      work: ({ state }) => state.show(view),
    }),
  ),
  {
    keys: ['tab'],
    help: 'the next view',
    work: ({ state }) => state.show(VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length]!),
  },
  {
    keys: ['return', 'enter', 'right'],
    help: 'connections of the row; of a connection, all that is known',
    label: 'Enter details',
    work: ({ enter }) => enter(),
  },
  {
    keys: ['escape', 'backspace', 'left'],
    help: 'back; without the filter',
    work: ({ state }) => state.back(),
  },
  { keys: ['s'], help: 'sort by the next column', label: 's sort', work: step(1) },
  { keys: ['S'], help: 'sort by the column before', work: step(-1) },
  {
    keys: ['I'],
    help: 'sort the other way round',
    work: sortBy(acting => ({ title: acting.sort, isReversed: !isReversed(acting) })),
  },
  {
    keys: ['/'],
    help: 'filter: rows that have all the words that you type, Enter ends it',
    label: '/ filter',
    work: ({ state }) => {
      state.isTyping = true
    },
  },
  {
    keys: ['g'],
    help: 'fold: containers by pod, by namespace; processes by program, by pod, by namespace',
    label: 'g fold',
    work: ({ state }) => state.show(state.view, (state.fold + 1) % Math.max(1, FOLDS[state.view].length)),
  },
  {
    keys: ['a'],
    help: 'quiet ones, without traffic and troubles in the last minute, are shown or not',
    label: 'a all',
    work: ({ state }) => {
      state.showsQuiet = !state.showsQuiet
    },
  },
  {
    keys: ['u'],
    help: 'units: bytes or bits',
    label: 'u units',
    work: ({ state }) => {
      state.unit = UNITS[(UNITS.indexOf(state.unit) + 1) % UNITS.length]!
    },
  },
  {
    keys: [' '],
    help: 'pause: the screen stays as it is; again to go on',
    label: 'space pause',
    work: ({ state }) => {
      state.isPaused = !state.isPaused
    },
  },
  {
    keys: ['z'],
    help: 'freeze: rows keep their places while numbers go on',
    label: 'z freeze',
    work: ({ state, ids }) => {
      state.frozen = state.frozen ? undefined : ids
    },
  },
  { group: 'move', keys: ['up', 'k'], help: 'the row above', work: select(at => at - 1) },
  { group: 'move', keys: ['down', 'j'], help: 'the row below', work: select(at => at + 1) },
  { group: 'move', keys: ['pageup'], help: 'a page up', work: select((at, { page }) => at - page) },
  { group: 'move', keys: ['pagedown'], help: 'a page down', work: select((at, { page }) => at + page) },
  { group: 'move', keys: ['home'], help: 'the first row', work: select(() => 0) },
  { group: 'move', keys: ['end'], help: 'the last row', work: select((_, { ids }) => ids.length - 1) },
  { keys: ['C-l'], help: 'draw everything again', work: ({ redraw }) => redraw() },
  {
    keys: ['?', 'f1', 'h'],
    help: 'this help',
    work: ({ state }) => {
      state.showsHelp = !state.showsHelp
    },
  },
  { keys: ['q', 'C-c', 'C-d', 'C-\\', 'f10'], help: 'quit', label: 'q quit', work: ({ quit }) => quit() },
]

const byKey = new Map(KEYS.flatMap(row => row.keys.map(key => [key, row] as const)))

/** @returns whether the key means something */
export function press({ name, text }: { name: string; text: string }, acting: Acting): boolean {
  const { state } = acting
  if (state.isTyping && type(name, text, state)) return true
  const row = byKey.get(name)
  row?.work(acting)
  return row !== undefined
}

const MAX_FILTER = 100

/** Keys while a filter is typed. @returns false for a key that means the same as always */
function type(name: string, text: string, state: State): boolean {
  if (text !== '') state.filter = (state.filter + text).slice(0, MAX_FILTER)
  else if (name === 'backspace') state.filter = [...state.filter].slice(0, -1).join('')
  else if (name === 'C-u') state.filter = ''
  else if (name === 'return' || name === 'enter') state.isTyping = false
  else if (name === 'escape') {
    state.isTyping = false
    state.filter = ''
  } else return false
  return true
}
