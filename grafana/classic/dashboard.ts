/**
 * Dashboards as Grafana's files have them. The classic form loads everywhere by file; only this folder knows the SDK.
 */

import {
  DashboardBuilder,
  DashboardCursorSync,
  type Dashboard as GrafanaDashboard,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dialect } from '../datasource.ts'
import { type Dashboard, type Panel, uidOf } from '../table/panel.ts'
import { toAll } from './links.ts'
import { HEIGHTS, type Place, panelOf } from './panel.ts'
import { annotationsOf, variablesOf } from './variables.ts'

const COLUMNS = 24

/** From left to right, and below when there is no room. @returns where the next row begins, too */
function places(panels: readonly Panel[], top: number, firstId: number): { places: Place[]; end: number } {
  const places: Place[] = []
  let [x, y, height] = [0, top, 0]
  for (const [at, { kind, width }] of panels.entries()) {
    if (x + width > COLUMNS) [x, y, height] = [0, y + height, 0]
    height = Math.max(height, HEIGHTS[kind])
    places.push({ id: firstId + at, gridPos: { x, y, w: width, h: HEIGHTS[kind] } })
    x += width
  }
  return { places, end: y + height }
}

const TITLES: Readonly<Record<Dialect, string>> = { influxql: 'InfluxDB', prometheus: 'Prometheus' }

export function dashboardOf(dashboard: Dashboard, dialect: Dialect): GrafanaDashboard {
  const { name, title, description, variables, rows } = dashboard
  const builder = new DashboardBuilder(`Sockflux / ${title} (${TITLES[dialect]})`)
    .uid(uidOf(name, dialect))
    .description(description)
    .tags(['sockflux', dialect])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variablesOf(variables, dialect))
    .annotations(annotationsOf(variables, dialect))
    .links([toAll(dialect)])
  let [top, id] = [0, 1]
  for (const row of rows) {
    const panels = row.panels.filter(panel => (panel.dialect ?? dialect) === dialect)
    builder.withRow(new RowBuilder(row.title).id(id).gridPos({ x: 0, y: top, w: COLUMNS, h: 1 }))
    const at = places(panels, top + 1, id + 1)
    for (const [index, panel] of panels.entries())
      builder.withPanel(panelOf(panel, dialect, variables, at.places[index]!))
    top = at.end
    id += 1 + panels.length
  }
  return builder.build()
}

/** The SDK moves links and annotations into a menu, where nobody sees them. */
const SHOWN = (key: string, value: unknown) =>
  key === 'placement' && value === 'inControlsMenu' ? undefined : value

/** The text of its file. */
export const dashboardJson = (dashboard: Dashboard, dialect: Dialect): string =>
  `${JSON.stringify(dashboardOf(dashboard, dialect), SHOWN, 2)}\n`
