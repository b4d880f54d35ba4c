import type { Link } from '../../../wire/settings/endpoint.ts'
import type { Door } from './access.ts'
import type { Gate } from './gate.ts'
import type { StreamSide } from './nats/listen.ts'
import type { Transport } from './transport.ts'

/** @throws with the endpoint that cannot be bound */
type Listen = (link: Link, gate: Gate, door: Door, side: StreamSide) => Promise<Transport>

const zeromq: Listen = async (link, gate, door) => (await import('./zeromq.ts')).listen(link, gate, door)

/** The transports by the scheme of their endpoints: a line each. What an endpoint looks like is checked with the settings. */
export const TRANSPORTS: Readonly<Record<string, Listen>> = {
  tcp: zeromq,
  ipc: zeromq,
  nats: async ({ text }, _gate, _door, side) => (await import('./nats/listen.ts')).listenToStream(text, side),
}

/** @param link of one of the forms above */
export const openTransport: Listen = (link, ...more) =>
  TRANSPORTS[link.endpoint.split('://', 1)[0]!]!(link, ...more)
