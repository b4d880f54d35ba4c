/** Dashboards for Chronograf, in its three forms of files. */

import { type Dashboard, FILTERS, type Filter, type Panel, type Query } from '../table/panel.ts'
import { cellOf, type Database, heightOf, isBeyond, type Place, widthOf } from './cell.ts'

const VERSION = '1.11.4'

/** In a dashboard the database is a template of its own; in a protoboard Chronograf puts in its own. */
const IN_DASHBOARD: Database = { db: 'sockflux', rp: 'autogen' }
const IN_PROTOBOARD: Database = { db: ':db:', rp: ':rp:' }

/**
 * A choice of a tag's values, as a regular expression: every version puts a text as it is into a regular expression, and
 * none has a choice of all values of a tag.
 */
const templateOf = (filter: Filter) => ({
  id: filter,
  tempVar: `:${filter}:`,
  values: [{ value: '.*', type: 'constant', selected: true, localSelected: true }],
  type: 'text',
  label: filter,
  query: {},
})

function cells({ name, rows, variables }: Dashboard, where: Database) {
  const panels: readonly Panel[] = rows
    .flatMap(({ panels }) => panels)
    .filter(({ dialect = 'influxql' }) => dialect === 'influxql')
  let [x, y, height] = [0, 0, 0]
  return panels.map((panel, at) => {
    if (isBeyond(x, panel)) [x, y, height] = [0, y + height, 0]
    const place: Place = { x, y }
    x += widthOf(panel)
    height = Math.max(height, heightOf(panel))
    return cellOf(panel, `${name}-${at + 1}`, place, where, variables)
  })
}

const chosen = ({ variables }: Dashboard): Filter[] => FILTERS.filter(filter => variables.includes(filter))

/** The bare dashboard: a `.dashboard` in RESOURCES_PATH. */
export const resource = (dashboard: Dashboard) => ({
  id: `sockflux-${dashboard.name}`,
  name: `Sockflux / ${dashboard.title}`,
  organization: 'default',
  cells: cells(dashboard, IN_DASHBOARD),
  templates: chosen(dashboard).map(templateOf),
})

/** What "Import Dashboard" of the web interface reads. */
export const importable = (dashboard: Dashboard) => ({
  meta: { chronografVersion: VERSION, sources: {} },
  dashboard: resource(dashboard),
})

const measurementsOf = ({ rows }: Dashboard): string[] => {
  const queries: Query[] = rows.flatMap(({ panels }) => panels).flatMap(({ queries }) => [...queries])
  return [...new Set(queries.map(({ measurement }) => measurement))].sort()
}

/** A dashboard that Chronograf offers when its measurements exist: a `.json` in PROTOBOARDS_PATH. */
export const protoboard = (dashboard: Dashboard) => ({
  id: `sockflux-${dashboard.name}`,
  meta: {
    name: `Sockflux / ${dashboard.title}`,
    version: '1',
    dashboardVersion: VERSION,
    description: dashboard.description,
    author: 'Sockflux',
    license: 'MIT',
    url: '',
    measurements: measurementsOf(dashboard),
  },
  data: {
    cells: cells(dashboard, IN_PROTOBOARD),
    templates: chosen(dashboard).map(templateOf),
  },
})
