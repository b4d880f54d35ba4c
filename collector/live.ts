/** The settings of the collector that need no restart, and the files behind them. */

import type { Service } from '../wire/process/service.ts'
import type { LiveSettings } from '../wire/settings/live.ts'
import type { Access } from './ingest/link/access.ts'
import type { collectorSettings } from './options.ts'
import type { Writers } from './sample/writers.ts'
import type { Sinks } from './sinks/sinks.ts'

interface Parts {
  readonly sinks: Sinks
  readonly writers: Writers
  readonly access: Access
}

export function goLive(
  service: Service,
  settings: LiveSettings<typeof collectorSettings>,
  { sinks, writers, access }: Parts,
): void {
  settings.onChange({
    ...sinks.live,
    waitingSamples: samples => sinks.limit(samples),
    maxSeries: maxSeries => writers.limit({ maxSeries }),
    maxProcesses: maxProcesses => writers.limit({ maxProcesses }),
  })
  service.onReload('the list of keys', () => access.reload())
}
