import { PORT } from '../../wire/settings/types.ts'
import type { Listen, Transport } from './transport.ts'

const zeromq = async (endpoint: string) => (await import('./zeromq.ts')).listen(endpoint)

/** The transports by the scheme of their endpoints: a line each. */
export const TRANSPORTS: Readonly<Record<string, Listen>> = {
  tcp: { endpoint: `tcp://[^\\s,]+:(${PORT}|\\*)`, open: zeromq },
  ipc: { endpoint: 'ipc://[^\\s,]+', open: zeromq },
}

/** @param endpoint of one of the forms above */
export const openTransport = (endpoint: string): Promise<Transport> =>
  TRANSPORTS[endpoint.split('://', 1)[0]!]!.open(endpoint)
