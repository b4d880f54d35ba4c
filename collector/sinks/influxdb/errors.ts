import { AbortError, HttpError, RequestTimedOutError } from '@influxdata/influxdb-client'
import { Refused } from '../sink.ts'

/** What a sentence about a server needs; the password and the token are not here, so they cannot get into one. */
export interface Server {
  readonly url: string
  readonly database: string
  readonly user: string | undefined
  readonly timeoutMs: number
}

/** A fault that the operator or time can mend: the queue waits and tries again. */
export class InfluxError extends Error {
  override name = 'InfluxError'
  readonly reason: string
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  constructor(reason: string, message: string, status?: number, retryAfterMs?: number) {
    super(message)
    this.reason = reason
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const certificate = (s: Server) =>
  `the certificate of InfluxDB at ${s.url} is not trusted: give the authority's certificate as --influx-ca, or set --influx-insecure`

/** Errors of the connection, by `code`: libuv, OpenSSL and Node's own. */
const byCode: Record<string, (server: Server) => string> = {
  ENOTFOUND: s => `the host of InfluxDB at ${s.url} is unknown: check the url and the name server`,
  EAI_AGAIN: s =>
    `the name server does not answer for InfluxDB at ${s.url}: check the url and the name server`,
  ECONNREFUSED: s => `nothing listens at ${s.url}: start InfluxDB or correct the host and port of the url`,
  EHOSTUNREACH: s => `no route to InfluxDB at ${s.url}: check the network and the firewall`,
  ENETUNREACH: s => `no route to InfluxDB at ${s.url}: check the network and the firewall`,
  ECONNRESET: s => `InfluxDB at ${s.url} closed the connection: it may be restarting, or want https`,
  EPROTO: s => `InfluxDB at ${s.url} does not speak TLS: write http:// in the url`,
  ERR_SSL_WRONG_VERSION_NUMBER: s => `InfluxDB at ${s.url} does not speak TLS: write http:// in the url`,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: s => `InfluxDB at ${s.url} does not speak TLS: write http:// in the url`,
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

/** Answers that wait for the operator, by HTTP status. */
const byStatus: Record<number, (server: Server) => [reason: string, message: string]> = {
  401: s => [
    'unauthorized',
    `InfluxDB at ${s.url} refuses the login of ${who(s)}: check username and password, or the token`,
  ],
  403: s => [
    'forbidden',
    `${who(s)} may not write to database "${s.database}" of InfluxDB at ${s.url}: grant WRITE on it, or use another login`,
  ],
  404: s => [
    'no_database',
    `database "${s.database}" is not in InfluxDB at ${s.url}: create it, or correct its name, org, retention policy or version`,
  ],
}

/** The one sentence for a request of `lines` lines that failed; `Refused` when trying again would not help. */
export function explain(error: unknown, server: Server, lines: number): InfluxError | Refused {
  if (error instanceof HttpError) return explainStatus(error, server, lines)
  if (error instanceof RequestTimedOutError || error instanceof AbortError)
    return new InfluxError('timeout', `InfluxDB at ${server.url} did not answer in ${server.timeoutMs} ms`)
  const { code, message } = error as { code?: string; message?: string }
  const sentence = code ? byCode[code]?.(server) : undefined
  return new InfluxError(
    code ?? 'error',
    sentence ?? `InfluxDB at ${server.url} cannot be reached: ${code ?? message}`,
  )
}

function explainStatus(error: HttpError, server: Server, lines: number): InfluxError | Refused {
  const status = error.statusCode
  const said = answer(error)
  // Go's net/http says so with 400, but it is the url that is wrong, not the samples.
  if (status === 400 && said.includes('HTTP request to an HTTPS server'))
    return new InfluxError('tls', `InfluxDB at ${server.url} wants TLS: write https:// in the url`, status)
  // 422: InfluxDB 2 for points outside the retention period.
  if (status === 400 || status === 422) return partial(error.json, said, server, lines)
  if (status === 413)
    return new Refused('too_large', lines, `InfluxDB at ${server.url} finds even one sample too large (413)`)
  const known = byStatus[status]
  const [reason, message] = known?.(server) ?? [
    `status_${status}`,
    `InfluxDB at ${server.url} cannot write to "${server.database}" now`,
  ]
  return new InfluxError(reason, `${message} (it said ${status} ${said})`, status, retryAfterMs(error))
}

/**
 * InfluxDB has stored the good lines and says something about the others. 1.x ends with `dropped=N` for points that
 * conflict with what is stored, and says `dropped=0` when lines could not be parsed, of which it lists every one;
 * 3.x lists the lines in `data`. Without a number, every line counts as lost.
 */
export function partial(json: unknown, said: string, server: Server, lines: number): Refused {
  const listed = (json as { data?: unknown } | undefined)?.data
  const dropped = Number(/dropped=(\d+)/.exec(said)?.[1] ?? 0)
  const unparsed = said.match(/unable to parse/g)?.length ?? 0
  const isPartial = /partial write/.test(said)
  const lost = !isPartial ? lines : Array.isArray(listed) ? listed.length : dropped || unparsed || lines
  return new Refused(
    isPartial ? 'partial_write' : 'bad_request',
    Math.min(lost, lines),
    `InfluxDB at ${server.url} refused ${Math.min(lost, lines)} of ${lines} samples for database "${server.database}": ${clip(said)}`,
  )
}

/** The server's own words: `error` in 1.x and 3.x, `message` in 2.x. */
function answer({ json, body, statusMessage }: HttpError): string {
  return String(json?.error ?? json?.message ?? body ?? statusMessage ?? '').trim()
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

function who({ user }: Server): string {
  return user === undefined ? 'a client without a user name' : `user "${user}"`
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs({ headers }: HttpError): number | undefined {
  const value = headers?.['retry-after']
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : undefined
}
