import { coarseOf } from './coarse.ts'
import { type Metric, tagsOf } from './metric.ts'
import { histogramOf, seriesOf } from './prometheus.ts'

/** A row of the tables without its functions. */
export const described = (metric: Metric) => ({
  measurement: metric.name,
  group: metric.group,
  tags: tagsOf(metric),
  help: metric.help,
  fields: metric.fields.map((field, at) => ({
    ...{ name: field.name, type: field.type, unit: field.unit, help: field.help },
    coarse: coarseOf(field),
    prometheus: seriesOf(metric, at),
  })),
  ...(metric.distribution && { histogram: histogramOf(metric).name }),
})
