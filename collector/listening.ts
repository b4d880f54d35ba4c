/** The endpoints, with what a transport that keeps windows itself needs of the collector. */

import type { ThrottledLog } from '../wire/process/throttled_log.ts'
import { natsAccessOf, type natsSettings } from '../wire/settings/nats.ts'
import type { Values } from '../wire/settings/settings.ts'
import type { Ingest } from './ingest/ingest.ts'
import type { Access } from './ingest/link/access.ts'
import type { Gate } from './ingest/link/gate.ts'
import { Listeners, type Next } from './ingest/listeners.ts'
import type { Writers } from './sample/writers.ts'
import type { Sinks } from './sinks/sinks.ts'

interface Parts {
  readonly ingest: Ingest
  readonly hosts: Next
  readonly gate: Gate
  readonly access: Access
  readonly writers: Writers
  readonly sinks: Pick<Sinks, 'isHalfFull'>
}

export function listenersOf(
  options: Values<typeof natsSettings>,
  parts: Parts,
  log: ThrottledLog,
): Listeners {
  const { ingest, hosts, gate, access, writers, sinks } = parts
  const memories = { probes: ingest, series: writers }
  const side = { access: natsAccessOf(options), memories, isFull: () => sinks.isHalfFull }
  return new Listeners(ingest, hosts, gate, access, side, log)
}
