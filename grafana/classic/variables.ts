/** The variables above a dashboard, and the marks on its time. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  AnnotationQueryBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import type { Dialect } from '../datasource.ts'
import { influxqlPoints, inGrafana, tagValues } from '../query/influxql.ts'
import { labelValues, promqlMark } from '../query/promql.ts'
import { MARKS, type Mark } from '../table/marks.ts'
import { FILTERS, type Filter, level, type Query } from '../table/panel.ts'
import { chosen, InfluxqlBuilder } from './target.ts'

/** A measurement that has all values of a tag. */
const SOURCES: Readonly<Record<Filter, Query>> = {
  host: level('host:num_flows', 'as_client'),
  namespace: level('pod:num_flows', 'as_client'),
  pod: level('pod:num_flows', 'as_client'),
  container: level('container:num_flows', 'as_client'),
}

function filterVariable(filter: Filter, dialect: Dialect, before: readonly Filter[]): Builder<VariableModel> {
  const source = SOURCES[filter]
  const query =
    dialect === 'influxql'
      ? tagValues(source.measurement, filter, before)
      : { query: labelValues(source, filter, before), refId: filter, qryType: 1 }
  return new QueryVariableBuilder(filter)
    .label(filter)
    .datasource(chosen(dialect))
    .query(query)
    .definition(typeof query === 'string' ? query : query.query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] })
}

const POLICIES = 'SHOW RETENTION POLICIES'
/** The name that InfluxDB gives to the first one, which has the windows. */
const FIRST = 'autogen'

const policyVariable = () =>
  new QueryVariableBuilder('rp')
    .label('retention policy')
    .description(
      'Coarser policies reach further back: counters are the last value, gauges the mean, quantiles the largest',
    )
    .datasource(chosen('influxql'))
    .query(POLICIES)
    .definition(POLICIES)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.Disabled)
    .multi(false)
    .includeAll(false)
    .current({ text: FIRST, value: FIRST })

export function variablesOf(filters: readonly Filter[], dialect: Dialect): Builder<VariableModel>[] {
  const datasource = new DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type(dialect === 'influxql' ? 'influxdb' : 'prometheus')
  const wanted = FILTERS.filter(filter => filters.includes(filter))
  return [
    datasource,
    ...(dialect === 'influxql' ? [policyVariable()] : []),
    ...wanted.map((filter, at) => filterVariable(filter, dialect, wanted.slice(0, at))),
  ]
}

function annotation({ title, query, below, color }: Mark, dialect: Dialect, variables: readonly Filter[]) {
  const mark = new AnnotationQueryBuilder()
    .name(title)
    .datasource(chosen(dialect))
    .enable(true)
    .iconColor(color)
  const tags = query.by.join(',')
  if (dialect === 'influxql')
    return mark.target(
      new InfluxqlBuilder({
        ...{
          refId: 'Anno',
          query: influxqlPoints(query, inGrafana(variables), below),
          resultFormat: 'table',
        },
        ...{ fromAnnotations: true, textEditor: true, titleColumn: '', textColumn: query.by.at(-1)! },
        ...{ tagsColumn: tags, timeEndColumn: '' },
      }),
    )
  const expression = promqlMark(query, variables, below)
  return mark
    .expr(expression)
    .step('60s')
    .titleFormat(title)
    .textFormat(query.by.map(tag => `{{${tag}}}`).join(' '))
    .tagKeys(tags)
    .target(new DataqueryBuilder().refId('Anno').datasource(chosen(dialect)).expr(expression).range())
}

export const annotationsOf = (variables: readonly Filter[], dialect: Dialect) =>
  MARKS.map(mark => annotation(mark, dialect, variables))
