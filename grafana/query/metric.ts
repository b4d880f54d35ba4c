/** The row of the metric tables that a query reads, and the units of what it gives. */

import { catalogue } from '../../collector/metrics/catalogue.ts'
import { type Metric, tagsOf, UNITS } from '../../collector/metrics/metric.ts'
import type { Dialect } from '../datasource.ts'
import { type Calc, FILTERS, type Filter, type Panel, type Query } from '../table/panel.ts'

const METRICS = new Map(catalogue.map(metric => [metric.name, metric]))

export function metricOf({ measurement }: Query): Metric {
  const metric = METRICS.get(measurement)
  if (!metric) throw new Error(`${measurement} is not in collector/metrics: correct the table of panels`)
  return metric
}

export function fieldOf(query: Query): { readonly at: number } & Metric['fields'][number] {
  const { fields } = metricOf(query)
  const at = fields.findIndex(({ name }) => name === query.field)
  if (at < 0) throw new Error(`${query.measurement} has no field ${query.field}: correct the table of panels`)
  return { ...fields[at]!, at }
}

/** The variables that bound a query: those whose tag it has. The collector's host is not one of the probes' hosts. */
export function filtersOf(query: Query, variables: readonly Filter[]): Filter[] {
  if (query.measurement.startsWith('collector:')) return []
  const tags = tagsOf(metricOf(query))
  return FILTERS.filter(filter => variables.includes(filter) && tags.includes(filter))
}

/** @throws if a query groups by a tag that its measurement does not have */
export function checkTags(query: Query): void {
  const tags = tagsOf(metricOf(query))
  for (const tag of [...query.by, ...Object.keys(query.only), ...Object.keys(query.except)])
    if (!tags.includes(tag))
      throw new Error(`${query.measurement} has no tag ${tag}: correct the table of panels`)
}

type FieldUnit = keyof typeof UNITS
/** Grafana's units: of a level, and of a rate. */
const GRAFANA: Partial<Record<FieldUnit, readonly [level: string, rate: string]>> = {
  bytes: ['bytes', 'Bps'],
  packets: ['short', 'pps'],
  ms: ['ms', 'short'],
  percent: ['percent', 'short'],
  bytes_per_second: ['Bps', 'Bps'],
  seconds: ['s', 'percentunit'], // CPU seconds per second: cores
}
const COUNTED = ['short', 'cps'] as const
const BASE: Readonly<Record<string, string>> = { ms: 's', percent: 'percentunit' }

/** @returns Grafana's name of the unit, and units of the panel's thresholds in one of it */
export function unitOf(panel: Panel, query: Query, dialect: Dialect): { unit: string; per: number } {
  const isBase = dialect === 'prometheus'
  if (panel.share) return isBase ? { unit: 'percentunit', per: 100 } : { unit: 'percent', per: 1 }
  const { unit } = fieldOf(query)
  if (query.calc === 'events') return { unit: 'short', per: 1 }
  const isRate: Record<Calc, boolean> = {
    ...{ rate: true, increase: false, mean: false, max: false, last: false, events: false },
  }
  const name = (GRAFANA[unit] ?? COUNTED)[isRate[query.calc] ? 1 : 0]
  return isBase ? { unit: BASE[name] ?? name, per: UNITS[unit].perBase } : { unit: name, per: 1 }
}
