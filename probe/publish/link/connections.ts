import type { Logger } from 'pino'
import type { Identity } from '../../../wire/message.ts'
import { Connection, type Feed } from './connection.ts'
import { StreamConnection } from './nats/connection.ts'
import type { Trust } from './trust.ts'

/** A way to one collector. */
export interface Connected {
  /** There may be something to send. */
  wake(): void
  close(): Promise<void>
}

type Connect = (endpoint: string, feed: Feed, identity: Identity, trust: Trust, log: Logger) => Connected

const zeromq: Connect = (...given) => new Connection(...given)

/** The transports by the scheme of their endpoints: a line each. */
const CONNECTIONS: Readonly<Record<string, Connect>> = {
  tcp: zeromq,
  ipc: zeromq,
  nats: (...given) => new StreamConnection(...given),
}

/** @param endpoint of one of these schemes */
export const connect: Connect = (endpoint, ...more) =>
  CONNECTIONS[endpoint.split('://', 1)[0]!]!(endpoint, ...more)
