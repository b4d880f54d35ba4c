/** What a person has chosen, and what keys do about it. */

import type { Conversation } from '../../collector/flows/conversation.ts'
import type { Level } from '../../collector/view/rows.ts'
import type { Unit } from './columns/units.ts'

/** The views, in the order of their keys F2, F3, … */
export const VIEWS = ['containers', 'pods', 'processes', 'flows', 'peers', 'interfaces'] as const
export type ViewName = (typeof VIEWS)[number]

/** What a view of rows can be folded by: the first one is its own. */
export const FOLDS: Readonly<Record<ViewName, readonly Level[]>> = {
  containers: ['containers', 'pods', 'namespaces'],
  pods: ['pods', 'namespaces'],
  processes: ['processes', 'programs', 'pods', 'namespaces'],
  flows: [],
  peers: [],
  interfaces: [],
}

/** Of whom connections are shown. */
export interface Scope {
  readonly level: Level
  readonly host: string
  readonly id: string
  readonly name: string
  /** Parameters of `GET /flows` that find its connections. */
  readonly query: Readonly<Record<string, string>>
}

interface Sort {
  /** Of a column. */
  readonly title: string
  readonly isReversed: boolean
}

export class State {
  view: ViewName = 'containers'
  /** Place in the view's `FOLDS`. */
  fold = 0
  /** By table. */
  readonly sorts = new Map<string, Sort>()
  filter = ''
  /** Characters go into the filter. */
  isTyping = false
  unit: Unit = 'bytes'
  showsQuiet = false
  isPaused = false
  /** Rows keep their places. */
  frozen: readonly string[] | undefined
  showsHelp = false
  scope: Scope | undefined
  /** The connection whose details are shown, as it was known last. */
  connection: Conversation | undefined
  /** Id of the row that keys mean. */
  selected: string | undefined
  /** The first row that is shown. */
  first = 0
  /** Of the row from which a person came to the connections. */
  #selectedBefore: string | undefined
  #filterBefore = ''

  show(view: ViewName, fold = 0): void {
    this.view = view
    this.fold = fold
    this.scope = undefined
    this.connection = undefined
    this.unselect()
  }

  enter(scope: Scope): void {
    if (!this.scope) [this.#selectedBefore, this.#filterBefore] = [this.selected, this.filter]
    this.scope = scope
    this.filter = ''
    this.unselect()
  }

  /** One step out: of the details, of the connections, of the filter. */
  back(): void {
    if (this.showsHelp) this.showsHelp = false
    else if (this.connection) this.connection = undefined
    else if (this.scope && this.filter !== '') this.filter = ''
    else if (this.scope) {
      this.scope = undefined
      this.unselect()
      this.selected = this.#selectedBefore
      this.filter = this.#filterBefore
    } else this.filter = ''
  }

  /** The table that is shown: each has an order of its own. */
  get table(): string {
    if (this.scope) return 'connections'
    return FOLDS[this.view][this.fold] ?? this.view
  }

  /** The first row is the one that keys mean. */
  unselect(): void {
    this.selected = undefined
    this.first = 0
    this.frozen = undefined
  }
}
