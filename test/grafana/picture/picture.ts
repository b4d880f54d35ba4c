/** A dashboard as a picture: the panels of the table, with what InfluxDB answers to their queries. */

import { influxql, influxqlTotal, inGrafana } from '../../../grafana/query/influxql.ts'
import { unitOf } from '../../../grafana/query/metric.ts'
import { type Dashboard, isOfRange, type Panel, type Query } from '../../../grafana/table/panel.ts'
import { askInflux, type Line, percent } from '../ask.ts'
import { type Chosen, influxqlWith, type Range } from '../replace.ts'
import type { World } from '../world.ts'
import { written } from './numbers.ts'
import { type Box, type Named, plot, stat, table } from './plot.ts'
import { cut, FAINT, PANEL, page, rect, text } from './svg.ts'

const [WIDTH, COLUMNS, GAP, HEAD, ROW] = [1200, 24, 6, 40, 24]
const HEIGHTS: Partial<Record<Panel['kind'], number>> = { stat: 90, table: 150, graph: 150 }
const HEIGHT = 210

type Ask = (query: string) => Promise<Line[]>

const named = (lines: readonly Line[], { legend }: Query): Named[] =>
  lines.map(({ tags, values }) => ({
    name: legend.replace(/\{\{(\w+)\}\}/g, (_, tag: string) => tags[tag] ?? ''),
    values,
  }))

async function content(
  panel: Panel,
  dashboard: Dashboard,
  ask: Ask,
  range: Range,
  box: Box,
): Promise<string> {
  const asking = inGrafana(dashboard.variables)
  const [first] = panel.queries
  const { unit } = unitOf(panel, first, 'influxql')
  if (isOfRange(panel.kind)) return tableOf(panel, dashboard, ask, box)
  const answers = await Promise.all(panel.queries.map(query => ask(influxql(query, asking))))
  const lines = panel.share
    ? named(percent(answers[0]!, answers[1]!), first)
    : panel.queries.flatMap((query, at) => named(answers[at]!, query))
  const shown = lines.filter(({ values }) => values.length > 0)
  if (panel.kind === 'stat') return stat(shown, box, unit)
  return plot(shown, box, range, unit, panel.kind === 'stacked')
}

async function tableOf(panel: Panel, { variables }: Dashboard, ask: Ask, box: Box): Promise<string> {
  const { by } = panel.queries[0]
  const rows = new Map<string, { tags: Line['tags']; cells: string[]; order: number }>()
  for (const [at, query] of panel.queries.entries()) {
    const { unit } = unitOf(panel, query, 'influxql')
    for (const { tags, values } of await ask(influxqlTotal(query, inGrafana(variables)))) {
      const key = by.map(tag => tags[tag]).join(' ')
      const row = rows.get(key) ?? { tags, cells: [], order: 0 }
      rows.set(key, row)
      row.cells[at] = written(values[0]![1], unit)
      if (at === 0) row.order = values[0]![1]
    }
  }
  const sorted = [...rows.values()].sort((a, b) => b.order - a.order).slice(0, panel.most)
  const cells = sorted.map(({ tags, cells }) => [
    ...by.map(tag => tags[tag] ?? ''),
    ...panel.queries.map((_, at) => cells[at] ?? ''),
  ])
  return table([...by, ...panel.queries.map(({ legend }) => legend)], cells, box)
}

export async function picture(
  dashboard: Dashboard,
  world: World,
  chosen: Chosen,
  range: Range,
): Promise<string> {
  const ask: Ask = query => askInflux(world, influxqlWith(query, chosen, range))
  let body = text(12, 22, `Sockflux / ${dashboard.title}`, 'font-size="15"')
  body += text(
    WIDTH - 12,
    22,
    'drawn by the project’s own renderer, not a screenshot of Grafana',
    `text-anchor="end" fill="${FAINT}"`,
  )
  let y = HEAD
  for (const { title, panels } of dashboard.rows) {
    body += text(12, y + 14, title, 'font-size="12"')
    y += ROW
    let [x, height] = [0, 0]
    for (const panel of panels.filter(({ dialect }) => dialect !== 'prometheus')) {
      if (x + panel.width > COLUMNS) [x, y] = [0, y + height + GAP]
      height = HEIGHTS[panel.kind] ?? HEIGHT
      const left = (x * WIDTH) / COLUMNS + GAP / 2
      const width = (panel.width * WIDTH) / COLUMNS - GAP
      body += rect(left, y, width, height, PANEL, 'rx="3"')
      body += text(left + 8, y + 16, cut(panel.title, width - 16), 'font-size="11" font-weight="bold"')
      body += await content(panel, dashboard, ask, range, { x: left, y: y + 26, width, height: height - 32 })
      x += panel.width
    }
    y += height + GAP
  }
  return page(WIDTH, y + GAP, `Sockflux / ${dashboard.title}`, body)
}
