import { Refused } from '../sink.ts'
import { InfluxError, type Server } from './errors.ts'
import type { Answer } from './transport.ts'

/** Answers of InfluxDB that need the operator, by HTTP status. */
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

/** InfluxDB 2 stores nothing of a request with a line that it cannot parse: send the other lines without it. */
export class RefusedWhole extends Refused {}

/** Go's net/http, nginx and Apache answer this with 400. */
export const WANTS_TLS = /HTTP request .*HTTPS (server|port)|speaking plain HTTP to an SSL/i

/**
 * The outcome of a request of some lines. Only 204 means "stored": docs.influxdata.com for /write of 1.x,
 * /api/v2/write of 2.x and 3.x and /api/v3/write_lp; and 201 of hosted 3.x is "stored in part" when the body says so.
 * @param isInflux /ping shows InfluxDB; needed only if `isDoubtful(answer)`
 * @returns nothing when all lines are stored; `Refused` when a retry would not help. Only InfluxDB can refuse lines;
 *   proxies and other programs answer 400, 404 and 422 with JSON too, and their data is sent again
 */
export function explainAnswer(
  answer: Answer,
  server: Server,
  lines: number,
  isInflux: boolean,
): InfluxError | Refused | undefined {
  const { status, text } = answer
  const words = isOwn(answer) || isInflux ? wordsOf(answer) : undefined
  if (status === 204) return undefined
  if (status === 201 && words && isPartial(words)) return partial(answer.json, words, server, lines)
  if (status < 300) return foreign(answer, server)
  if (status >= 300 && status < 400) return redirected(answer, server)
  if (status === 400 && WANTS_TLS.test(text))
    return new InfluxError('tls', `InfluxDB at ${server.url} needs TLS: write https:// in the url`, {
      status,
    })
  if (words && /retention policy not found/.test(words))
    return new InfluxError(
      'no_retention_policy',
      `retention policy "${server.retentionPolicy}" is not in database "${server.database}" of InfluxDB at ${server.url}: create it, or correct --influx-retention-policy (${clip(words)})`,
      { status },
    )
  if (status === 413)
    return new InfluxError(
      'too_large',
      `InfluxDB at ${server.url}, or a proxy in front of it, refuses even one sample as too large (413 ${described(answer)}): raise its limit for requests`,
      { status, fault: 'batch' },
    )
  // 1.x lists every line that it could not parse; fewer lines give a shorter list
  if (status === 400 && answer.isCut && text.startsWith('{"error":"'))
    return new InfluxError(
      'unreadable',
      `InfluxDB at ${server.url} gave an answer that is too long to read; fewer lines are sent (${clip(text)})`,
      { status, fault: 'batch' },
    )
  // 422: InfluxDB 2 for points outside the retention period.
  if (status === 400 || status === 422)
    return words ? partial(answer.json, words, server, lines) : inBetween(answer, server)
  if (status === 404 && !words) return foreign(answer, server)
  return waiting(answer, server)
}

function waiting(answer: Answer, server: Server): InfluxError {
  const { status, headers } = answer
  const [reason, message] = byStatus[status]?.(server) ?? [
    `status_${status}`,
    `InfluxDB at ${server.url} cannot write to "${server.database}" now`,
  ]
  const words = wordsOf(answer)
  return new InfluxError(
    reason,
    `${message} (it answered ${status} ${words ? clip(words) : described(answer)})`,
    {
      status,
      retryAfterMs: retryAfterMs(headers['retry-after']),
      // a server that sends Retry-After is the cause itself
      ...(status >= 500 && status !== 503 ? { fault: 'unknown' } : {}),
    },
  )
}

/** A login page, a wrong port, another program. */
export function foreign(answer: Answer, { url }: Server): InfluxError {
  const { status, headers } = answer
  const what =
    status === 101 ? `an upgrade to ${clip(headers.upgrade ?? 'no protocol', 60)}` : described(answer)
  const means =
    status === 404
      ? 'nothing accepts samples there; correct --influx-url or --influx-version'
      : 'that is not InfluxDB; correct --influx-url'
  return new InfluxError('no_influxdb', `${url} answered ${status} with ${what}: ${means}`, {
    status,
  })
}

/** InfluxDB refuses in JSON: this answer comes from another program on the way, and may concern one request or all. */
function inBetween(answer: Answer, { url }: Server): InfluxError {
  const { status } = answer
  return new InfluxError(
    `status_${status}`,
    `${url} answered ${status} with ${described(answer)}: that is not InfluxDB's own answer; correct --influx-url, or the proxy in front of InfluxDB`,
    { status, fault: 'batch' },
  )
}

/** Redirects are not followed: the login would go to any host that is named. */
export function redirected({ status, headers }: Answer, { url }: Server): InfluxError {
  const { location = '' } = headers
  const here = baseOf(new URL(url))
  const to =
    location && URL.canParse(location, `${here}/write`) ? new URL(location, `${here}/write`) : undefined
  const place = to ? baseOf(to) : ''
  if (place === here)
    return new InfluxError(
      'redirected',
      `${url} answered ${status}: it redirects to itself (a login page, or a loop); correct --influx-url, or the proxy in front of InfluxDB`,
      { status },
    )
  return new InfluxError(
    'redirected',
    to
      ? `${url} is not InfluxDB's address: it redirects to ${clip(place)} (${status}); if that is InfluxDB, give it as --influx-url`
      : `${url} is not InfluxDB's address: it redirects (${status}) without a location; correct --influx-url`,
    { status },
  )
}

/** The address as --influx-url has it: without the path of a request. */
const baseOf = ({ origin, pathname }: URL) =>
  origin + pathname.replace(/\/(write|ping|query|api\/v[23]\/[\w/]+)\/?$/, '').replace(/\/+$/, '')

/**
 * InfluxDB has stored the good lines and reports the others. 1.x ends with `dropped=N` for points that conflict with
 * stored ones, and with `dropped=0` when lines could not be parsed; it lists each of them. 3.x lists the lines in
 * `data`, hosted 3.x in the message. Without a number, every line counts as lost.
 */
function partial(json: Answer['json'], words: string, server: Server, lines: number): Refused {
  const listed = json?.['data']
  const dropped = Number(/dropped=(\d+)/.exec(words)?.[1] ?? 0)
  const named = words.match(/unable to parse|\bline \d+:/g)?.length ?? 0
  const some = Array.isArray(listed) ? listed.length : dropped || named
  const lost = isPartial(words) && some > 0 ? Math.min(some, lines) : lines
  const Refusal = !isPartial(words) && lines > 1 && named < lines ? RefusedWhole : Refused
  return new Refusal(
    isPartial(words) ? 'partial_write' : 'bad_request',
    lost,
    `InfluxDB at ${server.url} refused ${lost} of ${lines} samples for database "${server.database}": ${clip(words)}`,
  )
}

const isPartial = (words: string) => /partial write/.test(words)

/** InfluxDB's message: `error` in 1.x and 3.x, `code` and `message` in 2.x. */
export function wordsOf({ json, headers }: Answer): string | undefined {
  const { error, code, message } = json ?? {}
  const header = headers['x-influxdb-error']
  if (typeof error === 'string') return error
  if (typeof code === 'string' && typeof message === 'string') return message
  return typeof header === 'string' ? header : undefined
}

/** Texts of 1.x and 3.x, for servers behind a proxy that removes the headers. */
const OWN_TEXT =
  /unable to parse ('|points)|partial write|field type conflict|points beyond retention policy|max-(series|values)-per-|(database|retention policy) not found/
/** Codes of 2.x and hosted 3.x, and the keys beside them: kit/platform/errors and http/points in influxdb 2.7. */
const OWN_CODES = ['invalid', 'unprocessable entity', 'not found']
const OWN_KEYS = ['code', 'message', 'op', 'err', 'error', 'line', 'maxLength', 'data']

/** The answer itself shows InfluxDB. 1.x and 2.x send their version, and 1.x the error, in headers. */
function isOwn(answer: Answer): boolean {
  const { json, headers } = answer
  if (Object.keys(headers).some(name => name.startsWith('x-influxdb-'))) return true
  if (!hasOwnKeys(json)) return false
  const { code, data } = json
  return (
    OWN_TEXT.test(wordsOf(answer) ?? '') ||
    OWN_CODES.some(own => own === code) ||
    [data].flat().some(line => Number.isInteger((line as { line_number?: unknown } | null)?.line_number))
  )
}

const hasOwnKeys = (json: Answer['json']): json is Record<string, unknown> =>
  json !== undefined && Object.keys(json).every(key => OWN_KEYS.includes(key))

/** A refusal that InfluxDB or another program may have written: /ping decides. */
export const isDoubtful = (answer: Answer): boolean =>
  [400, 404, 422].includes(answer.status) &&
  hasOwnKeys(answer.json) &&
  wordsOf(answer) !== undefined &&
  !isOwn(answer)

/** `text/html (<title>Login`: enough to recognise the program. */
export function described({ headers, text, isCompressed }: Answer): string {
  const type = String(headers['content-type'] ?? 'no type').split(';')[0]
  if (isCompressed) return `${clip(type ?? '', 60)} (a compressed body)`
  const title = /<title>[^<]*/i.exec(text)?.[0] ?? text
  return title.trim() === '' ? `an empty body` : `${clip(type ?? '', 60)} (${clip(title, 80)})`
}

export function clip(text: string, most = 300): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > most ? `${line.slice(0, most)}…` : line
}

export function who({ user }: Server): string {
  return user === undefined ? 'a client without a user name' : `user "${user}"`
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : undefined
}
