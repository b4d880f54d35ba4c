/** What the tests of the collector give each other: samplers with the settings' defaults, windows of flows. */

import { open } from 'bcc-bindings'
import type { Fold } from '../../collector/fold/fold.ts'
import { decoder } from '../../collector/fold/records/decoder.ts'
import type { Folded } from '../../collector/ingest/folded.ts'
import type { Profile } from '../../collector/metrics/catalogue.ts'
import { GROUPS } from '../../collector/metrics/metric.ts'
import { Sampler, type SamplerOptions } from '../../collector/sample/sampler.ts'
import { objectPath } from '../../probe/kernel/load.ts'
import type { Layout } from '../../wire/layout.ts'
import type { Names } from '../../wire/message.ts'
import { encodeRows, type Flow } from '../harness/rows.ts'

export const samplerOf = (
  profile: Profile,
  options: Partial<SamplerOptions> = {},
  now: () => number = () => 0,
): Sampler => new Sampler({ profile, metrics: GROUPS, maxSeries: 10_000, maxProcesses: 20, ...options }, now)

/** A whole window of host `h`, ten seconds long. */
export const windowOf = (fold: Fold, more: Partial<Folded> = {}): Folded => ({
  key: { host: 'h', boot: 'b', probe: 'p', window: 1 },
  time: 1010,
  interval: 10,
  partial: false,
  complete: true,
  lost: {},
  fold,
  ...more,
})

/** A record's layout, from the object's BTF. */
export function layoutOfRecord(name: string): Layout {
  const object = open(objectPath())
  try {
    return object.layout(name)
  } finally {
    object.close()
  }
}

/** Folds rows of a record that are given as plain objects; what they do not say is 0. */
export function addRows(fold: Fold, layout: Layout, rows: readonly object[], names: Names): void {
  fold.add(encodeRows(layout, rows as readonly Flow[]), decoder(layout), names)
}
