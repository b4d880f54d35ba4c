/** Tasks of InfluxDB 2.x, as text: docs.influxdata.com/flux/v0/stdlib. */

import { toFluxValue } from '@influxdata/influxdb-client'
import { COARSE, type Coarse, coarseOf } from '../../../../collector/metrics/coarse.ts'
import type { Metric } from '../../../../collector/metrics/metric.ts'
import { durationText } from '../../duration.ts'
import { PREFIX, type Resolution } from '../resolutions.ts'

/** A bucket whose name has the form of a database and its policy: the server's own mapping agrees with ours. */
export const bucketOf = (database: string, { name }: Resolution): string => `${database}/${name}`
/** Of a resolution and a bucket: an organisation may have several buckets. */
export const taskName = (database: string, { name }: Resolution): string => `${name} of ${database}`
/** Also one of a resolution that there is no more. */
export const isTaskOf = (database: string, name: string): boolean =>
  name.endsWith(` of ${database}`) && OURS.test(name.slice(0, -` of ${database}`.length))
const OURS = new RegExp(`^${PREFIX}\\d+[a-z]+$`)

/** One program for all measurements: each fold reads its own fields and answers the number of its points. */
function program(
  database: string,
  resolution: Resolution,
  metrics: readonly Metric[],
  start: string,
  stop: string,
): string {
  const { seconds } = resolution
  const folds = COARSE.flatMap(fold => {
    const condition = fieldsOf(metrics, fold)
    if (condition === '') return []
    return `from(bucket: ${toFluxValue(database)})
    |> range(start: ${start}, stop: ${stop})
    |> filter(fn: (r) => ${condition})
    |> aggregateWindow(every: ${durationText(seconds)}, fn: ${fold}, createEmpty: false, timeSrc: "_start")
    |> to(bucket: ${toFluxValue(bucketOf(database, resolution))})
    |> count()
    |> group()
    |> sum()
    |> yield(name: ${toFluxValue(fold)})
`
  })
  return folds.join('\n')
}

function fieldsOf(metrics: readonly Metric[], fold: Coarse): string {
  const each = metrics.flatMap(({ name, fields }) => {
    const own = fields.filter(field => coarseOf(field) === fold)
    const all = own.length === fields.length
    const some = own.map(field => `r._field == ${toFluxValue(field.name)}`).join(' or ')
    const measurement = `r._measurement == ${toFluxValue(name)}`
    if (own.length === 0) return []
    return all ? [measurement] : [`(${measurement} and (${some}))`]
  })
  return each.join(' or ')
}

/** Begins and ends with whole points: half of one would be written over the whole. */
export function task(database: string, resolution: Resolution, metrics: readonly Metric[]): string {
  const { seconds, every, again } = resolution
  const unit = durationText(seconds)
  return `import "date"

option task = {name: ${toFluxValue(taskName(database, resolution))}, every: ${durationText(every)}, offset: 30s}

start = date.truncate(t: -${durationText(again)}, unit: ${unit})
stop = date.truncate(t: now(), unit: ${unit})

${program(database, resolution, metrics, 'start', 'stop')}`
}

/** @param from seconds since 1970 */
export const period = (
  database: string,
  resolution: Resolution,
  metrics: readonly Metric[],
  from: number,
  to: number,
): string => program(database, resolution, metrics, rfc3339(from), rfc3339(to))

const rfc3339 = (seconds: number): string => new Date(seconds * 1000).toISOString()
