/** The tables that can be shown: what rows they have, and where Enter leads. */

import type { Conversation } from '../../collector/flows/conversation.ts'
import { LEVELS, type Level, type TopHost, type TopRow } from '../../collector/view/rows.ts'
import type { Column } from './columns/column.ts'
import * as entities from './columns/entities.ts'
import { connectionColumns, type FlowLine, flowColumns } from './columns/flows.ts'
import { interfaceColumns } from './columns/interfaces.ts'
import { peerColumns } from './columns/peers.ts'
import { sideOf } from './ends.ts'
import type { FlowQuery, Snapshot } from './source.ts'
import type { Scope, State } from './state.ts'
import { talks } from './talks.ts'

export interface View<Row> {
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly idOf: (row: Row) => string
  /** The column that rows are sorted by at first. */
  readonly first: string
  /** The collector has filtered the rows: it knows more of them than what is shown. */
  readonly isFiltered?: true
  /** Nothing happens there now. */
  readonly isQuiet?: (row: Row) => boolean
  readonly enter?: (row: Row, state: State) => void
  /** How many there are besides those that the collector has sent. */
  readonly more: number
  /** Why there is nothing to see. */
  readonly note?: string | undefined
}

const HOST = '(host)'
/** Conversations that are asked for. */
const MOST_FLOWS = '300'

const COLUMNS: Readonly<Record<Level, (isMany: boolean) => readonly Column<entities.EntityRow>[]>> = {
  namespaces: entities.namespaceColumns,
  pods: entities.podColumns,
  containers: entities.containerColumns,
  programs: entities.programColumns,
  processes: entities.processColumns,
}

/** Where connections of a row are found. */
const QUERIES: Readonly<Record<Level, (row: TopRow) => FlowQuery>> = {
  namespaces: ({ name }) => ({ namespace: name }),
  pods: ({ namespace, name }) => ({ pod: `${namespace}/${name}` }),
  containers: ({ id }) => ({ container: id }),
  programs: ({ name, ownerId }) => ({ process: name, container: ownerId || HOST }),
  processes: ({ id, ownerId }) => ({ process: id, container: ownerId || HOST }),
}

export function levelView({ hosts, peers }: Snapshot, level: Level): View<entities.EntityRow> {
  const talksWith = talks(peers?.peers ?? [], level)
  const rows = hosts.flatMap(top =>
    top[level].map(row => ({ ...row, host: top.host, talksWith: talksWith(top.host, row) })),
  )
  return {
    columns: COLUMNS[level](hosts.length > 1),
    rows,
    idOf: ({ host, id }) => `${host} ${id}`,
    first: level === 'programs' ? 'RATE' : 'SENT/s',
    isQuiet: ({ id, failed, waiting, openedPerSecond, trend }) =>
      id !== HOST && failed + waiting + openedPerSecond === 0 && trend.every(rate => rate === 0),
    enter: (row, state) => state.enter(scopeOf(level, row)),
    more: hosts.reduce((sum, top) => sum + top.total[level] - top[level].length, 0),
  }
}

const scopeOf = (level: Level, row: entities.EntityRow): Scope => {
  const { host, id, name } = row
  return { level, host, id, name: name || id, query: { host, ...QUERIES[level](row) } }
}

const enterConnection = ({ conversation }: { conversation: Conversation }, state: State): void => {
  state.connection = conversation
}

const intervalsOf = (hosts: readonly TopHost[]) => {
  const intervals = new Map(hosts.map(({ host, interval }) => [host, interval]))
  return ({ client, server }: Conversation): number => intervals.get((client ?? server)?.host ?? '') ?? 10
}

function flowView({ hosts, flows, withoutFlows }: Snapshot, scope: Scope | undefined): View<FlowLine> {
  const interval = intervalsOf(hosts)
  const lines = (flows?.flows ?? []).map(
    (conversation): FlowLine => ({
      conversation,
      interval: interval(conversation),
      side: scope ? sideOf(conversation, scope) : 'client',
    }),
  )
  return {
    columns: scope ? connectionColumns : flowColumns,
    rows: lines,
    isFiltered: true,
    idOf: ({ conversation }) => conversation.id,
    first: 'SENT/s',
    enter: enterConnection,
    more: flows ? flows.total - flows.flows.length : 0,
    note: withoutFlows ?? foldedNote(flows?.folded ?? []),
  }
}

const foldedNote = (hosts: readonly string[]): string | undefined =>
  hosts.length > 0 ? `without the flows of ${hosts.join(', ')}: their probes send sums (--fold)` : undefined

const peerView = ({ peers, withoutFlows }: Snapshot) => ({
  columns: peerColumns,
  rows: peers?.peers ?? [],
  idOf: ({ id }: { id: string }) => id,
  first: 'SENT/s',
  more: peers ? peers.total - peers.peers.length : 0,
  note: withoutFlows,
})

const interfaceView = ({ hosts }: Snapshot) => ({
  columns: interfaceColumns(hosts.length > 1),
  rows: hosts.flatMap(({ host, interfaces }) => interfaces.map(row => ({ ...row, host }))),
  idOf: ({ host, id }: { host: string; id: string }) => `${host} ${id}`,
  first: 'SENT/s',
  more: 0,
})

/** `use` gets the view that the state says, whatever its rows are. */
export function withView<T>(snapshot: Snapshot, state: State, use: <Row>(view: View<Row>) => T): T {
  const { table, scope } = state
  if (scope || table === 'flows') return use(flowView(snapshot, scope))
  if (table === 'peers') return use(peerView(snapshot))
  if (table === 'interfaces') return use(interfaceView(snapshot))
  return use(levelView(snapshot, LEVELS.find(level => level === table) ?? 'containers'))
}

/** Columns by which the collector sorts conversations; it sends the first ones of them. */
const ORDERS: Readonly<Record<string, string>> = { BYTES: 'total', 'RTT ms': 'rtt', RETR: 'retransmits' }

/** The conversations that a state shows; undefined: none. */
export function flowQuery({ scope, table, sorts, filter }: State): FlowQuery | undefined {
  if (!scope && table !== 'flows') return undefined
  const order = ORDERS[sorts.get(table)?.title ?? '']
  const text = filter.trim()
  return {
    ...scope?.query,
    limit: MOST_FLOWS,
    ...(order && { sort: order }),
    ...(text !== '' && { text }),
  }
}
