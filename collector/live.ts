/** The settings of the collector that need no restart. */

import type { Apply } from '../wire/settings/live.ts'
import type { collectorSettings } from './options.ts'
import type { Writers } from './sample/writers.ts'
import type { Sinks } from './sinks/sinks.ts'

interface Parts {
  readonly sinks: Sinks
  readonly writers: Writers
}

export const live = ({ sinks, writers }: Parts): Apply<typeof collectorSettings> => ({
  ...sinks.live,
  waitingSamples: samples => sinks.limit(samples),
  maxSeries: maxSeries => writers.limit({ maxSeries }),
  maxProcesses: maxProcesses => writers.limit({ maxProcesses }),
})
