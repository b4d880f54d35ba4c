import type { Transport } from './transport.ts'

/** @throws with the endpoint that cannot be bound */
type Listen = (endpoint: string) => Promise<Transport>

const zeromq: Listen = async endpoint => (await import('./zeromq.ts')).listen(endpoint)

/** The transports by the scheme of their endpoints: a line each. What an endpoint looks like is checked with the settings. */
export const TRANSPORTS: Readonly<Record<string, Listen>> = {
  tcp: zeromq,
  ipc: zeromq,
}

/** @param endpoint of one of the forms above */
export const openTransport = (endpoint: string): Promise<Transport> =>
  TRANSPORTS[endpoint.split('://', 1)[0]!]!(endpoint)
