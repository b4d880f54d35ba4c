/** Tables: the answers of several queries are joined by their tags; a column has its own unit. */

import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table'
import type { Dialect } from '../datasource.ts'
import { unitOf } from '../query/metric.ts'
import type { Panel } from '../table/panel.ts'
import { dataLink } from './links.ts'

/** Prometheus calls the columns by the letter of the query, or `Value` if there is only one. */
function renamed({ queries }: Panel, dialect: Dialect): Record<string, string> {
  if (dialect === 'influxql') return {}
  const letter = (at: number) => (queries.length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + at)}`)
  return Object.fromEntries(queries.map(({ legend }, at) => [letter(at), legend]))
}

export function tableBuilder(panel: Panel, dialect: Dialect): PanelBuilder {
  const { queries, link, most } = panel
  const [first] = queries
  const table = new PanelBuilder()
    .filterable(true)
    // rows are joined by all columns that they share
    .withTransformation({ id: 'filterFieldsByName', options: { exclude: { pattern: '^[Tt]ime$' } } })
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: {},
        indexByName: Object.fromEntries(first.by.map((tag, at) => [tag, at])),
        renameByName: renamed(panel, dialect),
      },
    })
    .withTransformation({
      id: 'sortBy',
      options: { fields: {}, sort: [{ field: first.legend, desc: true }] },
    })
  if (most !== undefined) table.withTransformation({ id: 'limit', options: { limitField: most } })
  for (const query of queries)
    table.overrideByName(query.legend, [{ id: 'unit', value: unitOf(panel, query, dialect).unit }])
  if (link)
    for (const tag of first.by)
      table.overrideByName(tag, [{ id: 'links', value: [dataLink(link, dialect, 'row')] }])
  return table
}
