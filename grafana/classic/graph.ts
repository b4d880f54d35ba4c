/**
 * Node graphs: a row of a table is an edge, from its first tag to its second one. Grafana takes a frame with `id`, `source` and
 * `target` for edges, and makes the nodes from them (public/app/plugins/panel/nodeGraph/utils.ts).
 */

import { EdgeOptionsBuilder, PanelBuilder } from '@grafana/grafana-foundation-sdk/nodegraph'
import type { Dialect } from '../datasource.ts'
import { unitOf } from '../query/metric.ts'
import type { Panel } from '../table/panel.ts'

export function graphBuilder(panel: Panel, dialect: Dialect): PanelBuilder {
  const [first] = panel.queries
  const [source, target] = first.by
  if (source === undefined || target === undefined || panel.queries.length > 1)
    throw new Error(`${panel.title}: a graph has one query by two tags: correct the table of panels`)
  const value = dialect === 'prometheus' ? 'Value' : first.legend
  return (
    new PanelBuilder()
      .edges(new EdgeOptionsBuilder().mainStatUnit(unitOf(panel, first, dialect).unit))
      .withTransformation({ id: 'filterFieldsByName', options: { exclude: { pattern: '^[Tt]ime$' } } })
      .withTransformation({ id: 'merge', options: {} })
      .withTransformation({
        id: 'organize',
        options: {
          ...{ excludeByName: {}, indexByName: {} },
          renameByName: { [source]: 'source', [target]: 'target', [value]: 'mainstat' },
        },
      })
      // who only answers has no edge of its own
      .withTransformation({
        id: 'filterByValue',
        options: {
          filters: [{ fieldName: 'mainstat', config: { id: 'greater', options: { value: 0 } } }],
          ...{ type: 'include', match: 'all' },
        },
      })
      .withTransformation({ id: 'calculateField', options: { mode: 'index', alias: 'id' } })
      .withTransformation({
        id: 'convertFieldType',
        options: { conversions: [{ targetField: 'id', destinationType: 'string' }] },
      })
  )
}
