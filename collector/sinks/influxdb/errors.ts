import { AbortError, RequestTimedOutError } from '@influxdata/influxdb-client'
import type { Trouble } from '../sink.ts'

/** What an error message about a server needs. Password and token are not here, so they cannot get into a message. */
export interface Server {
  readonly url: string
  readonly database: string
  readonly retentionPolicy: string | undefined
  readonly user: string | undefined
  readonly timeoutMs: number
  /** The variable that names a proxy for this address. */
  readonly proxy: string | undefined
}

/** A failure that may pass or that the operator can correct: the queue retries. */
export class InfluxError extends Error implements Trouble {
  override name = 'InfluxError'
  readonly reason: string
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  readonly fault: Trouble['fault']
  constructor(
    reason: string,
    message: string,
    { status, retryAfterMs, fault }: Omit<Trouble, 'reason'> & { status?: number } = {},
  ) {
    super(message)
    this.reason = reason
    this.status = status
    this.retryAfterMs = retryAfterMs
    this.fault = fault
  }
}

const certificate = (s: Server) =>
  `the certificate of InfluxDB at ${s.url} is not trusted: give the authority's certificate as --influx-ca, or set --influx-insecure`
const noTls = (s: Server) => `InfluxDB at ${s.url} does not speak TLS: write http:// in the url`

/** Errors of the connection, by `code`: libuv, OpenSSL and Node's own. */
const byCode: Record<string, (server: Server) => string> = {
  ENOTFOUND: s => `the host of InfluxDB at ${s.url} is unknown: check the url and the name server`,
  EAI_AGAIN: s =>
    `the name server does not answer for InfluxDB at ${s.url}: check the url and the name server`,
  ECONNREFUSED: s => `nothing listens at ${s.url}: start InfluxDB or correct the host and port of the url`,
  EHOSTUNREACH: s => `no route to InfluxDB at ${s.url}: check the network and the firewall`,
  ENETUNREACH: s => `no route to InfluxDB at ${s.url}: check the network and the firewall`,
  ECONNRESET: s => `InfluxDB at ${s.url} closed the connection: it may be restarting, or need https`,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_TLS_CERT_ALTNAME_INVALID: s =>
    `the certificate of InfluxDB at ${s.url} is for another host: use the host name that it names, or set --influx-insecure`,
  CERT_HAS_EXPIRED: s =>
    `the certificate of InfluxDB at ${s.url} has expired: renew it, or set --influx-insecure`,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_GET_ISSUER_CERT: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
}

/** The message for a request without an answer. */
export function explainError(error: unknown, server: Server): InfluxError {
  if (error instanceof InfluxError) return error
  const proxy = server.proxy === undefined ? '' : `; ${server.proxy} sets a proxy for this address`
  if (error instanceof RequestTimedOutError || error instanceof AbortError)
    return new InfluxError(
      'timeout',
      `InfluxDB at ${server.url} did not answer in ${server.timeoutMs} ms${proxy}`,
      { fault: 'unknown' },
    )
  const { code, message } = error as { code?: string; message?: string }
  // Node's HTTP parser: the answer is not HTTP, for example because it repeats the samples in a header.
  if (code?.startsWith('HPE_'))
    return new InfluxError(
      'unreadable',
      `${server.url} gave an answer that is not HTTP (${code}): another program listens there; correct --influx-url. If it is InfluxDB, it repeats a line that it refuses`,
      { fault: 'batch' },
    )
  const sentence = code ? byCode[code]?.(server) : undefined
  return new InfluxError(
    code ?? 'error',
    `${sentence ?? `InfluxDB at ${server.url} cannot be reached: ${code ?? message}`}${proxy}`,
    code === 'ECONNRESET' || code === 'EPIPE' ? { fault: 'unknown' } : {},
  )
}
