/** A query of the tables in InfluxQL, as InfluxDB 1.x, 2.x and 3.x read it. */

import type { Calc, Filter, Query } from '../table/panel.ts'
import { checkTags, fieldOf, filtersOf } from './metric.ts'

/** How who asks writes what is known only when it asks. */
export interface Asking {
  /** Before the measurement: `"$rp".`, or nothing. */
  readonly policy: string
  /** The condition on the time. */
  readonly time: string
  readonly interval: string
  /** The condition on a tag that has a variable. */
  readonly filter: (filter: Filter) => string
  readonly variables: readonly Filter[]
}

/** What stands before the measurement; nothing for the database's default policy. */
export const policyText = (policy: string | undefined): string =>
  policy === undefined ? '' : `"${policy.replace(/[\\"]/g, '\\$&')}".`

const chosenOf = (filter: Filter): string => `"${filter}" =~ /^\${${filter}:regex}$/`

/** @param variables of the dashboard */
export const inGrafana = (variables: readonly Filter[]): Asking => ({
  policy: '"$rp".',
  time: '$timeFilter',
  interval: '$__interval',
  filter: chosenOf,
  variables,
})

const CALCS: Readonly<Record<Calc, (field: string) => string>> = {
  mean: field => `mean(${field})`,
  max: field => `max(${field})`,
  last: field => `last(${field})`,
  rate: field => `non_negative_derivative(last(${field}), 1s)`,
  increase: field => `non_negative_difference(last(${field}))`,
  events: field => `count(${field})`,
}
/** Functions that give the same over the points of all series as over the series one by one. */
const AT_ONCE: readonly string[] = ['mean mean', 'max max', 'events sum']

const escaped = (text: string): string => text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&')
const oneOf = (values: readonly string[]): string => `/^(${values.map(escaped).join('|')})$/`
const named = (tags: readonly string[]): string[] => tags.map(tag => `"${tag}"`)
const groupBy = (...what: readonly string[]): string =>
  what.length > 0 ? ` GROUP BY ${what.join(', ')}` : ''

function whereOf(query: Query, { time, filter, variables }: Asking): string {
  const conditions = [
    ...filtersOf(query, variables).map(filter),
    ...Object.entries(query.only).map(([tag, values]) => `"${tag}" =~ ${oneOf(values)}`),
    ...Object.entries(query.except).map(([tag, values]) => `"${tag}" !~ ${oneOf(values)}`),
    time,
  ]
  return ` WHERE ${conditions.join(' AND ')}`
}

function source(query: Query, asking: Asking): string {
  checkTags(query)
  fieldOf(query)
  return ` FROM ${asking.policy}"${query.measurement}"${whereOf(query, asking)}`
}

/** Each series on its own: only then may counters be subtracted and levels added. */
const eachSeries = (query: Query, asking: Asking): string =>
  ` FROM (SELECT ${CALCS[query.calc](`"${query.field}"`)} AS "value"${source(query, asking)}` +
  `${groupBy(`time(${asking.interval})`, '*')} fill(none))`

/** A line over time for each value of its tags; an interval without samples is null. */
export function influxql(query: Query, asking: Asking): string {
  const { calc, over, field, by } = query
  const lines = `${groupBy(`time(${asking.interval})`, ...named(by))} fill(null)`
  return AT_ONCE.includes(`${calc} ${over}`)
    ? `SELECT ${CALCS[calc](`"${field}"`)}${source(query, asking)}${lines}`
    : `SELECT ${over}("value")${eachSeries(query, asking)} WHERE ${asking.time}${lines}`
}

/**
 * One number for each value of its tags, of the whole range: the total of a counter, the mean of a level, the largest
 * quantile. The outermost query has no bound on the time, for InfluxDB 1.6 then finds nothing of three levels when the
 * range does not begin with an interval; the time of its rows is 0.
 */
export function influxqlTotal(query: Query, asking: Asking): string {
  const { over, by, legend } = query
  const lines = groupBy(...named(by))
  const [outer, from] = totalOf(query, asking)
  return `SELECT ${outer ?? over}("value") AS "${legend}"${from}${lines}`
}

/** The outermost function if it is not the one over the series, and what it reads. */
function totalOf(query: Query, asking: Asking): [outer: string | undefined, from: string] {
  const { calc, over, field, by } = query
  if (calc === 'increase') return ['sum', eachSeries(query, asking)]
  if (calc !== 'mean' && calc !== 'rate')
    return [
      undefined,
      ` FROM (SELECT ${CALCS[calc](`"${field}"`)} AS "value"${source(query, asking)}${groupBy('*')})`,
    ]
  // added up interval by interval first: a series that ended counts for the time in which it was there
  const lines = groupBy(`time(${asking.interval})`, ...named(by))
  const inner = `SELECT ${over}("value") AS "value"${eachSeries(query, asking)} WHERE ${asking.time}${lines} fill(none)`
  return ['mean', ` FROM (${inner})`]
}

/** Each point with its tags, for marks on the time; only those below a number. */
export const influxqlPoints = (query: Query, asking: Asking, below?: number): string =>
  `SELECT ${named([query.field, ...query.by]).join(', ')}${source(query, asking)}` +
  (below === undefined ? '' : ` AND "${query.field}" < ${below}`)

/** Values of a tag, of the hosts (and so on) that are chosen. */
export function tagValues(measurement: string, tag: string, within: readonly Filter[]): string {
  const where = within.map(chosenOf).join(' AND ')
  return `SHOW TAG VALUES FROM "${measurement}" WITH KEY = "${tag}"${where && ` WHERE ${where}`}`
}
