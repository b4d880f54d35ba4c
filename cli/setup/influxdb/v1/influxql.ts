/** Statements of InfluxDB 1.x, as text: docs.influxdata.com/influxdb/v1, "Query language". */

import { escape as escaped } from '@influxdata/influxdb-client'
import { coarseOf } from '../../../../collector/metrics/coarse.ts'
import type { Metric } from '../../../../collector/metrics/metric.ts'
import { durationText } from '../../duration.ts'
import type { Resolution } from '../resolutions.ts'

/** An identifier. */
export const name = (text: string): string => escaped.quoted(text)
/** A password: in single quotes. */
export const string = (text: string): string => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`

/** Where the windows are, and whose coarser points go to the policy of a resolution. */
export interface Place {
  readonly database: string
  readonly raw: string
}

/**
 * The same for continuous queries and for one period. Names stay as they are, all tags are kept, floats stay floats.
 * @param where condition on time; a continuous query has its own
 */
export function select(
  { database, raw }: Place,
  { name: policy, seconds }: Resolution,
  metric: Metric,
  where = '',
): string {
  const fields = metric.fields.map(field => `${coarseOf(field)}(${name(field.name)}) AS ${name(field.name)}`)
  const into = [database, policy, metric.name].map(name).join('.')
  const from = [database, raw, metric.name].map(name).join('.')
  return `SELECT ${fields.join(', ')} INTO ${into} FROM ${from} ${where}GROUP BY time(${durationText(seconds)}), * fill(none)`
}

export const queryName = ({ name: policy }: Resolution, metric: Metric): string => `${policy}_${metric.name}`

export function createQuery(place: Place, resolution: Resolution, metric: Metric): string {
  const times = `EVERY ${durationText(resolution.every)} FOR ${durationText(resolution.again)}`
  return `CREATE CONTINUOUS QUERY ${name(queryName(resolution, metric))} ON ${name(place.database)} RESAMPLE ${times} BEGIN ${select(place, resolution, metric)} END`
}

/** InfluxDB shows a query with quotes only around names that need them. */
export const plain = (query: string): string => query.replace(/"([A-Za-z_]\w*)"/g, '$1')
