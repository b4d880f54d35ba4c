import type { Batch, Measurement, Sample, Tags, WindowId } from '../../collector/sample.ts'

/** Samples for the sinks' tests. */
export const numFlows: Measurement = { name: 'container:num_flows', fields: ['as_client', 'as_server'] }

/** 2026-01-02T03:04:00Z */
export const start = 1_767_323_040

export function sample(
  values: Sample['values'],
  tags: Tags = { container: 'c1' },
  measurement = numFlows,
): Sample {
  return { measurement, tags, values }
}

/** Windows are ten seconds long. */
export function batch(window: number, samples: readonly Sample[], origin = start): Batch {
  const id: WindowId = { host: 'h', boot: 'boot', probe: 'run', window }
  return { id, time: origin + window * 10, interval: 10, samples, distributions: [] }
}
