/** A panel as a cell of Chronograf. The keys are those of chronograf 1.11 (github.com/influxdata/chronograf, chronograf.go). */

import { type Asking, influxql, influxqlTotal } from '../query/influxql.ts'
import { fieldOf } from '../query/metric.ts'
import { type Filter, isOfRange, type Kind, type Panel, type Query } from '../table/panel.ts'

/** Chronograf names its database and policy in each query. */
export type Database = Readonly<Record<'db' | 'rp', string>>

const asking = ({ db, rp }: Database, variables: readonly Filter[]): Asking => ({
  policy: `"${db}"."${rp}".`,
  time: 'time > :dashboardTime: AND time < :upperDashboardTime:',
  interval: ':interval:',
  filter: filter => `"${filter}" =~ /^(:${filter}:)$/`,
  variables,
})

/** Chronograf has 12 columns. */
const COLUMNS = 12
const PER_COLUMN = 2

const TYPES: Readonly<Record<Kind, string>> = {
  lines: 'line',
  stacked: 'line-stacked',
  bars: 'bar',
  stat: 'single-stat',
  table: 'table',
  graph: 'table',
  heatmap: 'line',
}
const HEIGHTS: Readonly<Record<Kind, number>> = {
  ...{ lines: 4, stacked: 4, bars: 4, stat: 2, table: 4, graph: 4, heatmap: 4 },
}

const SUFFIXES: Partial<Record<string, string>> = { ms: ' ms', percent: ' %', seconds: ' s' }
const isBytes = (query: Query): boolean => fieldOf(query).unit === 'bytes'

const axis = (more: object = {}) => ({
  ...{ bounds: ['', ''], label: '', prefix: '', suffix: '', base: '10', scale: 'linear', ...more },
})

function axes({ queries: [first] }: Panel) {
  const suffix = first.calc === 'rate' ? '/s' : (SUFFIXES[fieldOf(first).unit] ?? '')
  return { x: axis(), y: axis({ suffix, base: isBytes(first) ? '2' : '10' }), y2: axis() }
}

function queryOf(query: Query, kind: Kind, where: Database, variables: readonly Filter[]) {
  const ask = asking(where, variables)
  const text = isOfRange(kind) ? influxqlTotal(query, ask) : influxql(query, ask)
  return {
    query: text,
    queryConfig: {
      database: where.db,
      measurement: query.measurement,
      retentionPolicy: where.rp,
      fields: [],
      tags: {},
      groupBy: { time: '', tags: [] },
      areTagsAccepted: true,
      rawText: text,
      range: null,
      shifts: [],
    },
    source: '',
    type: 'influxql',
  }
}

const COLORS = ['#31C0F6', '#A500A5', '#FF7E27'].map((hex, at) => ({
  ...{ id: `sockflux-${at}`, type: 'scale', hex, name: 'Sockflux', value: String(at) },
}))

const tableOptions = (panel: Panel) => ({
  verticalTimeAxis: false,
  sortBy: { internalName: panel.queries[0].legend, displayName: '', visible: true },
  wrapping: 'truncate',
  fixFirstColumn: true,
})

export interface Place {
  readonly x: number
  readonly y: number
}

export const widthOf = ({ width }: Panel): number => width / PER_COLUMN
export const heightOf = ({ kind }: Panel): number => HEIGHTS[kind]
export const isBeyond = (x: number, panel: Panel): boolean => x + widthOf(panel) > COLUMNS

/** Chronograf cannot divide one measurement by another: a share is shown as its two parts. */
export function cellOf(
  panel: Panel,
  id: string,
  place: Place,
  where: Database,
  variables: readonly Filter[],
) {
  const { title, kind, queries, share } = panel
  return {
    i: id,
    ...place,
    ...{ w: widthOf(panel), h: heightOf(panel) },
    name: share ? `${title}: ${queries.map(({ field }) => field).join(' and ')}` : title,
    queries: queries.map(query => queryOf(query, kind, where, variables)),
    axes: axes(panel),
    type: TYPES[kind],
    colors: COLORS,
    legend: { type: 'static', orientation: 'bottom' },
    tableOptions: tableOptions(panel),
    fieldOptions: [],
    timeFormat: 'YYYY-MM-DD HH:mm:ss',
    decimalPlaces: { isEnforced: true, digits: 2 },
    note: `${panel.means}\n\n${panel.bad}`,
    noteVisibility: 'default',
  }
}
