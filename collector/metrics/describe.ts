import { type Metric, tagsOf } from './metric.ts'
import { histogramOf, seriesOf } from './prometheus.ts'

/** A row of the tables without its functions. */
export const described = (metric: Metric) => ({
  measurement: metric.name,
  group: metric.group,
  tags: tagsOf(metric),
  help: metric.help,
  fields: metric.fields.map(({ name, type, unit, help }, at) => ({
    ...{ name, type, unit, help },
    prometheus: seriesOf(metric, at),
  })),
  ...(metric.distribution && { histogram: histogramOf(metric).name }),
})
