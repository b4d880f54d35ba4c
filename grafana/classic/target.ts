/** What a panel asks. The SDK has no target for InfluxQL: this is ours. */

import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { TypeMathBuilder } from '@grafana/grafana-foundation-sdk/expr'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import type { Dialect } from '../datasource.ts'
import { influxql, influxqlTotal, inGrafana } from '../query/influxql.ts'
import { promql, promqlBuckets, promqlShare, promqlTotal } from '../query/promql.ts'
import { type Filter, isOfRange, type Panel, type Query } from '../table/panel.ts'

const TYPES: Readonly<Record<Dialect, string>> = { influxql: 'influxdb', prometheus: 'prometheus' }
/** The one that is chosen above the dashboard. */
export const chosen = (dialect: Dialect) => ({ type: TYPES[dialect], uid: '${datasource}' })
const EXPRESSION = { type: '__expr__', uid: '__expr__' }

/** The keys of Grafana's data source for InfluxDB; with more keys, of an annotation. */
export interface InfluxqlTarget {
  readonly refId: string
  readonly query: string
  readonly resultFormat: 'time_series' | 'table'
  readonly alias?: string
  readonly hide?: boolean
}

export class InfluxqlBuilder implements Builder<Dataquery> {
  readonly #target: object

  constructor(target: InfluxqlTarget & Readonly<Record<string, unknown>>) {
    this.#target = { ...target, datasource: chosen('influxql'), rawQuery: true }
  }

  build(): Dataquery {
    return this.#target as Dataquery
  }
}

const refOf = (at: number): string => String.fromCharCode('A'.charCodeAt(0) + at)
const alias = (legend: string): string => legend.replace(/\{\{(\w+)\}\}/g, '$tag_$1')

function influxqlTargets(
  { kind, queries, share }: Panel,
  variables: readonly Filter[],
): Builder<Dataquery>[] {
  const asking = inGrafana(variables)
  const target = (query: Query, at: number) =>
    isOfRange(kind)
      ? { refId: refOf(at), query: influxqlTotal(query, asking), resultFormat: 'table' as const }
      : {
          ...{ refId: refOf(at), query: influxql(query, asking), resultFormat: 'time_series' as const },
          ...{ alias: alias(query.legend), ...(share && { hide: true }) },
        }
  const targets = queries.map((query, at) => new InfluxqlBuilder({ ...target(query, at) }))
  // InfluxQL cannot divide what is in two measurements
  return share ? [...targets, percent()] : targets
}

const percent = () =>
  new TypeMathBuilder().refId('C').datasource(EXPRESSION).expression('100 * $A / $B') as Builder<Dataquery>

function prometheusTargets(
  { kind, queries, share }: Panel,
  variables: readonly Filter[],
): Builder<Dataquery>[] {
  const target = (expression: string, at: number, { legend }: Query) =>
    new DataqueryBuilder()
      .refId(refOf(at))
      .datasource(chosen('prometheus'))
      .expr(expression)
      .legendFormat(legend)
  if (share) {
    const [part, whole] = queries.map(query => promql(query, variables))
    return [target(promqlShare(part!, whole!), 0, queries[0]).range()]
  }
  return queries.map((query, at) => {
    if (isOfRange(kind))
      return target(promqlTotal(query, variables), at, query).instant().format(PromQueryFormat.Table)
    if (kind === 'heatmap')
      return target(promqlBuckets(query, variables), at, query)
        .legendFormat('{{le}}')
        .range()
        .format(PromQueryFormat.Heatmap)
    return target(promql(query, variables), at, query).range()
  })
}

/** The variables of the dashboard are those that its queries are bounded by. */
export const targetsOf = (
  panel: Panel,
  dialect: Dialect,
  variables: readonly Filter[],
): Builder<Dataquery>[] =>
  dialect === 'influxql' ? influxqlTargets(panel, variables) : prometheusTargets(panel, variables)
