import type { Gate } from './gate.ts'
import type { Transport } from './transport.ts'

/** @throws with the endpoint that cannot be bound */
type Listen = (endpoint: string, gate: Gate) => Promise<Transport>

const zeromq: Listen = async (endpoint, gate) => (await import('./zeromq.ts')).listen(endpoint, gate)

/** The transports by the scheme of their endpoints: a line each. What an endpoint looks like is checked with the settings. */
export const TRANSPORTS: Readonly<Record<string, Listen>> = {
  tcp: zeromq,
  ipc: zeromq,
}

/** @param endpoint of one of the forms above */
export const openTransport: Listen = (endpoint, gate) =>
  TRANSPORTS[endpoint.split('://', 1)[0]!]!(endpoint, gate)
