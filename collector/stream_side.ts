/** What a transport that keeps windows itself needs of the collector. */

import { natsAccessOf, type natsSettings } from '../wire/settings/nats.ts'
import type { Values } from '../wire/settings/settings.ts'
import type { StreamSide } from './ingest/link/nats/listen.ts'
import type { HostMemory } from './ingest/link/transport.ts'
import type { Sinks } from './sinks/sinks.ts'

export const streamSideOf = (
  options: Values<typeof natsSettings>,
  probes: HostMemory,
  series: HostMemory,
  sinks: Pick<Sinks, 'isHalfFull'>,
): Omit<StreamSide, 'log'> => ({
  access: natsAccessOf(options),
  memories: { probes, series },
  isFull: () => sinks.isHalfFull,
})
