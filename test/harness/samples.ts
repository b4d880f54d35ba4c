import type { Batch, Measurement, Sample, Samples, Tags, WindowId } from '../../collector/batch.ts'
import { Gathering } from '../../collector/sample/gathering.ts'
import { encodeLines } from '../../collector/sinks/influxdb/line_protocol.ts'

/** Samples for the sinks' tests. */
export const numFlows: Measurement = { name: 'container:num_flows', fields: ['as_client', 'as_server'] }

/** 2026-01-02T03:04:00Z */
export const start = 1_767_323_040

/** A sample and what it is of, as tests like to see it. */
export interface Point extends Sample {
  readonly measurement: Measurement
}

export const sample = (
  values: Sample['values'],
  tags: Tags = { container: 'c1' },
  measurement = numFlows,
): Point => ({ measurement, tags, values })

/** As the sampler gives them: each measurement's together. */
export const samplesOf = (points: readonly Point[]): Samples[] =>
  [...Map.groupBy(points, ({ measurement }) => measurement)].map(([measurement, points]) => {
    const gathering = new Gathering(measurement)
    for (const point of points) gathering.add(point)
    return gathering.samples()
  })

export const pointsOf = ({ samples }: Pick<Batch, 'samples'>): Point[] =>
  samples.flatMap(some => [...some.each()].map(sample => ({ measurement: some.measurement, ...sample })))

/** Windows are ten seconds long. */
export function batch(window: number, points: readonly Point[], origin = start): Batch {
  const id: WindowId = { host: 'h', boot: 'boot', probe: 'run', window }
  const time = origin + window * 10
  return { id, time, interval: 10, samples: samplesOf(points), distributions: [] }
}

/** What is written of it to InfluxDB, line by line. */
export function linesOf(batch: Batch): string[] {
  const [lines] = encodeLines([batch], Number.POSITIVE_INFINITY)
  return lines?.bytes(lines.count).toString().split('\n') ?? []
}
