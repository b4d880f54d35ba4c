/** The metrics that are written, and the samples of a window for them. */

import type { Batch, DistributionSample, Tags } from '../batch.ts'
import type { Folded } from '../ingest/folded.ts'
import { isFlow, type Metric, UNITS } from '../metrics/metric.ts'
import { Gathering } from './gathering.ts'
import type { Place } from './series.ts'
import { OTHER } from './subjects.ts'

/** The samples of a window for one measurement. */
export interface Written {
  readonly samples: Gathering
  readonly distributions: DistributionSample[]
}

export interface Active extends Place {
  readonly metric: Metric
  readonly samples: Gathering
  /** Of its fields: units of the record in one of the sample. */
  readonly divisors: readonly number[]
}

export function activeOf(metrics: readonly Metric[]): Active[] {
  const places = new Map<string, number>()
  return metrics.map((metric, index) => {
    const measurement = { name: metric.name, fields: metric.fields.map(({ name }) => name) }
    const place = next(places, isFlow(metric) ? metric.level : metric.name)
    const divisors = metric.fields.map(({ unit }) => UNITS[unit].divisor)
    return { metric, index, place, divisors, samples: new Gathering(measurement) }
  })
}

/** 0, 1, ... for each kind. */
function next(places: Map<string, number>, kind: string): number {
  const place = places.get(kind) ?? 0
  places.set(kind, place + 1)
  return place
}

export const nothing = ({ samples }: Active): Written => ({ samples: samples.begin(), distributions: [] })

/** Of the series that stands for all that found no place; what is in no container is one subject for each host. */
export function otherTags(metric: Metric): Tags {
  const { dimensions } = metric
  const level = 'level' in metric && metric.level !== 'host' ? [metric.level] : []
  return Object.fromEntries([...level, ...dimensions].map(name => [name, OTHER]))
}

/** Samples that are not written. */
export const unheard = ({ samples }: Active): Written => ({
  samples: new Gathering(samples.measurement),
  distributions: [],
})

export const batchOf = ({ key, time, interval }: Folded, written: readonly Written[]): Batch => ({
  ...{ id: key, time, interval },
  samples: written.map(({ samples }) => samples.samples()).filter(({ count }) => count > 0),
  distributions: written.flatMap(({ distributions }) => distributions),
})
