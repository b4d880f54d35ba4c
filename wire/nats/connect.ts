/** A connection to NATS servers: it comes back by itself, with the files as they are then. */

import { readFileSync } from 'node:fs'
import type { Authenticator, NatsConnection } from '@nats-io/transport-node'
import { natsLinkOf } from '../settings/endpoint.ts'

export interface NatsAccess {
  /** File with the seed of an nkey (`SU…`), or with credentials (a JWT and a seed). */
  readonly credentials: string | undefined
  /** File with the certificate of the authority that signed the servers'. */
  readonly ca: string | undefined
}

const CONNECT_MS = 5000
const PAUSE_MS = 1000
/** A server that vanished without a word is noticed after two of them. */
const PING_MS = 5000

/**
 * @param endpoint checked with `linkFault`
 * @param name shown by the server
 * @param inboxPrefix of the answers
 * @throws when a file cannot be read, or no server takes us. Later it connects again by itself
 */
export async function connectNats(
  endpoint: string,
  access: NatsAccess,
  { name, inboxPrefix }: { readonly name: string; readonly inboxPrefix: string },
): Promise<NatsConnection> {
  const { servers, isEncrypted } = natsLinkOf(endpoint)
  const authenticator =
    access.credentials === undefined ? undefined : await authenticatorOf(access.credentials)
  const ca = access.ca === undefined ? undefined : readText(access.ca, '--nats-ca')
  const { connect } = await import('@nats-io/transport-node')
  return connect({
    servers: [...servers],
    name,
    inboxPrefix,
    timeout: CONNECT_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: PAUSE_MS,
    reconnectJitter: PAUSE_MS,
    reconnectJitterTLS: PAUSE_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    ...(authenticator && { authenticator }),
    ...(isEncrypted && { tls: ca === undefined ? {} : { ca } }),
  })
}

/** Reads the file at each connection, as it may have been replaced. */
async function authenticatorOf(file: string): Promise<Authenticator> {
  const { credsAuthenticator, nkeyAuthenticator } = await import('@nats-io/transport-node')
  const read = (): Authenticator => {
    const text = readText(file, '--nats-credentials').trim()
    const bytes = Buffer.from(text)
    if (/^SU[A-Z2-7]{56}$/.test(text)) return nkeyAuthenticator(bytes)
    if (text.includes('BEGIN NATS USER JWT')) return credsAuthenticator(bytes)
    throw new Error(
      `--nats-credentials: ${file} has neither the seed of an nkey (SU…) nor credentials: sockflux setup nats --new-key makes one`,
    )
  }
  let last = read()
  return nonce => {
    try {
      last = read()
    } catch {
      // the server refuses what was valid before, if it is not any more
    }
    return last(nonce)
  }
}

function readText(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${setting}: cannot read ${file} (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** What an error of the client means, for the log. */
export function causeOf(error: unknown): string {
  const { name, message, cause } = error as Error
  return CAUSES[name] ?? (cause instanceof Error ? `${message}: ${cause.message}` : message)
}

const CAUSES: Readonly<Record<string, string>> = {
  TimeoutError: 'the server does not answer in time',
  NoRespondersError: 'nothing on the server takes it: run sockflux setup nats, or let a JetStream be there',
  JetStreamNotEnabled: 'no stream of the server takes it: run sockflux setup nats',
  ConnectionError: 'the connection was refused or lost',
  AuthorizationError: 'the server does not know our key or credentials: see --nats-credentials',
}
