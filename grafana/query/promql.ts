/** A query of the tables in PromQL. Names are those of collector/metrics/prometheus.ts. */

import { UNITS } from '../../collector/metrics/metric.ts'
import { familiesOf, histogramOf } from '../../collector/metrics/prometheus.ts'
import type { Calc, Filter, Query } from '../table/panel.ts'
import { checkTags, fieldOf, filtersOf, metricOf } from './metric.ts'

const escaped = (text: string): string =>
  text
    .replace(/[\\^$*+?.()|[\]{}]/g, '\\$&')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
const oneOf = (values: readonly string[]): string => values.map(escaped).join('|')

/** Grafana escapes the values of a variable for a regular expression in quotes by itself. */
function selector(name: string, role: string, query: Query, variables: readonly Filter[]): string {
  const labels = [
    ...(role ? [`role="${role}"`] : []),
    ...filtersOf(query, variables).map(filter => `${filter}=~"$${filter}"`),
    ...Object.entries(query.only).map(([label, values]) => `${label}=~"${oneOf(values)}"`),
    ...Object.entries(query.except).map(([label, values]) => `${label}!~"${oneOf(values)}"`),
  ]
  return name + (labels.length > 0 ? `{${labels.join(',')}}` : '')
}

/** Its series, as they are. */
export function series(query: Query, variables: readonly Filter[]): string {
  checkTags(query)
  const { at } = fieldOf(query)
  for (const { name, values } of familiesOf(metricOf(query))) {
    const value = values.find(value => value.at === at)
    if (value) return selector(name, value.role, query, variables)
  }
  throw new Error(`${query.measurement} ${query.field} has no name in Prometheus`)
}

const OVER = { sum: 'sum', max: 'max', mean: 'avg' } as const
/** Its series added up, or the largest, by its tags. */
export const folded = ({ over, by }: Query, what: string): string =>
  `${OVER[over]}${by.length > 0 ? ` by (${by.join(', ')})` : ''} (${what})`

/** The series of a sparse counter begins with its first rise, which `increase` does not see. */
const sinceNothing = (text: string, range: string): string =>
  `(${text} unless ${text} offset ${range}) or increase(${text}[${range}])`

/** Of the last scrape for a gauge, of the range before it for a counter. */
const NOW: Readonly<Record<Calc, (text: string, range: string) => string>> = {
  mean: text => text,
  max: text => text,
  last: text => text,
  rate: (text, range) => `rate(${text}[${range}])`,
  increase: (text, range) => `increase(${text}[${range}])`,
  events: sinceNothing,
}
/** Of the whole range. */
const TOTAL: Readonly<Record<Calc, (text: string, range: string) => string>> = {
  ...NOW,
  max: (text, range) => `max_over_time(${text}[${range}])`,
  last: (text, range) => `last_over_time(${text}[${range}])`,
}

/** A line over time for each value of its tags. */
export const promql = (query: Query, variables: readonly Filter[], range = '$__rate_interval'): string =>
  folded(query, NOW[query.calc](series(query, variables), range))

/** One number for each value of its tags, of the whole range: the total of a counter, the mean of a level, the largest quantile. */
export function promqlTotal(query: Query, variables: readonly Filter[]): string {
  const text = series(query, variables)
  // added up first: a series that ended counts for the time in which it was there
  if (query.calc === 'mean') return `avg_over_time((${folded(query, text)})[$__range:$__interval])`
  return folded(query, TOTAL[query.calc](text, '$__range'))
}

export const promqlShare = (part: string, whole: string): string => `${part} / ${whole}`

/** Where a gauge is below a number, in units of the samples; a sparse counter, where it rose in the last minute. */
export const promqlMark = (query: Query, variables: readonly Filter[], below?: number): string =>
  below === undefined
    ? `${promql(query, variables, '1m')} > 0`
    : `${promql(query, variables)} < ${below / UNITS[fieldOf(query).unit].perBase}`

/** The buckets of all values that a row has the distribution of. */
export const promqlBuckets = (query: Query, variables: readonly Filter[]): string =>
  `sum by (le) (rate(${selector(`${histogramOf(metricOf(query)).name}_bucket`, '', query, variables)}[$__rate_interval]))`

/** Values of a label, of the hosts (and so on) that are chosen. */
export const labelValues = (query: Query, label: string, within: readonly Filter[]): string =>
  `label_values(${series(query, within)}, ${label})`
